"""The yardsticks: programs that only write and sync the files that a rebuild leaves, or only move
its bytes as well."""

import concurrent.futures
import os
import shutil
import socket
import threading
import time

THREADS = (1, 16)
PIECE_BYTES = 1048576


def archives_below(source):
    """Relative paths and contents of the archives below `source`, in memory."""
    files = []
    for folder, _folders, names in os.walk(source):
        for name in names:
            if name.endswith('.data'):
                path = os.path.join(folder, name)
                with open(path, 'rb') as archive:
                    files.append((os.path.relpath(path, source), archive.read()))
    return files


def _write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(fd, left):]
        os.fsync(fd)
    finally:
        os.close(fd)


def write_plainly(files, target):
    """Seconds that `files` take, written and synced below `target`: the faster of one thread and
    many."""
    taken = []
    for threads in THREADS:
        shutil.rmtree(target, ignore_errors=True)
        os.sync()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            began = time.monotonic()
            jobs = [pool.submit(_write, os.path.join(target, name), content)
                    for name, content in files]
            for job in jobs:
                job.result()
            taken.append(time.monotonic() - began)
    shutil.rmtree(target)
    return min(taken)


def _send(files, address):
    with socket.create_connection(address) as out:
        for _name, content in files:
            out.sendall(content)


def _receive_all(connection, piece):
    while connection.recv_into(piece):
        pass


def _receive_and_write(connection, files, target, piece):
    """The rebuilt archives: as they come, each synced at its end."""
    for name, content in files:
        left = len(content)
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'xb', buffering=0) as out:
            while left:
                got = connection.recv_into(piece, min(left, len(piece)))
                if not got:
                    raise EOFError(name)
                out.write(memoryview(piece)[:got])
                left -= got
            os.fsync(out.fileno())


def move_plainly(files, remote_survivors, target):
    """Seconds that the bytes of a rebuild take through loopback sockets, `remote_survivors` archives
    for each one of `files`, which go through another and are written and synced: nothing is asked
    for, read from a disk, hashed, decoded or waited for. All streams run side by side."""
    shutil.rmtree(target, ignore_errors=True)
    os.sync()
    errors = []

    def guarded(work, *arguments):
        try:
            work(*arguments)
        except (OSError, EOFError) as error:
            errors.append(error)

    threads = []
    with socket.create_server(('127.0.0.1', 0)) as listener:
        streams = []
        for _stream in range(remote_survivors + 1):
            sender = threading.Thread(target=guarded,
                                      args=(_send, files, listener.getsockname()))
            streams.append((sender, bytearray(PIECE_BYTES)))
        began = time.monotonic()
        for number, (sender, piece) in enumerate(streams):
            sender.start()
            connection, _peer = listener.accept()
            work = (_receive_and_write, connection, files, target, piece) if number == 0 else (
                _receive_all, connection, piece)
            receiver = threading.Thread(target=guarded, args=work)
            receiver.start()
            threads += [(sender, None), (receiver, connection)]
        for thread, connection in threads:
            thread.join()
            if connection:
                connection.close()
        taken = time.monotonic() - began
    shutil.rmtree(target)
    if errors:
        raise errors[0]
    return taken
