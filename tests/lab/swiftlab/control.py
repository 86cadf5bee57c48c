"""One question, one answer: JSON lines over a unix socket, with open files passed along.

Used between a Lab (any process, outside) and the lab's holder and fault proxy (inside).
"""

import json
import os
import socket

FDS_MAX = 1


class ControlError(RuntimeError):
    """The other side refused, failed or is gone."""


def _short_path(path, directory_fd):
    # A unix address holds 107 bytes; going through the folder's descriptor makes any depth do.
    return f'/proc/self/fd/{directory_fd}/{os.path.basename(path)}'


def listen(path):
    """A listening socket at `path`."""
    directory_fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(_short_path(path, directory_fd))
    finally:
        os.close(directory_fd)
    sock.listen(64)
    return sock


def connect(path, timeout_s):
    directory_fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(_short_path(path, directory_fd))
    except OSError:
        sock.close()
        raise
    finally:
        os.close(directory_fd)
    return sock


def ask(path, request, timeout_s=30.0):
    """Sends one request; returns the answer as a dict. Raises ControlError when it is a refusal."""
    answer, fds = ask_with_fds(path, request, timeout_s)
    for fd in fds:
        os.close(fd)
    return answer


def ask_with_fds(path, request, timeout_s=30.0):
    try:
        with connect(path, timeout_s) as sock:
            sock.sendall(json.dumps(request).encode() + b'\n')
            data, fds = b'', []
            while not data.endswith(b'\n'):
                piece, new_fds, _flags, _address = socket.recv_fds(sock, 65536, FDS_MAX)
                fds.extend(new_fds)
                if not piece:
                    raise ControlError(f'no answer to {request.get("op")} at {path}')
                data += piece
    except OSError as error:
        raise ControlError(f'{request.get("op")} at {path}: {error}') from error
    answer = json.loads(data)
    if 'error' in answer:
        raise ControlError(f'{request.get("op")}: {answer["error"]}')
    return answer, fds


def answer_one(connection, handle, timeout_s=30.0):
    """Serves one request of an accepted connection: `handle(request)` gives (dict, [fd]).

    An asker that vanishes is its own trouble: nothing is raised.
    """
    fds = []
    try:
        with connection:
            connection.settimeout(timeout_s)
            data = b''
            while not data.endswith(b'\n'):
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            try:
                answer, fds = handle(json.loads(data))
            except Exception as error:  # The asker gets any failure; the server must live on.
                answer = {'error': f'{type(error).__name__}: {error}'}
            socket.send_fds(connection, [json.dumps(answer).encode() + b'\n'], fds)
    except OSError:
        pass
    finally:
        for fd in fds:
            os.close(fd)
