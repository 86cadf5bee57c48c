"""The sender's end of an SSYNC session, byte for byte as a test wants it."""

import hashlib


def chunk(data):
    return b'%x\r\n%s\r\n' % (len(data), data)


class Session:
    """One connection; `received` is the decoded answer so far."""

    def __init__(self, server, device='sda', partition='3', frag_index=2, policy=1, headers=(),
                 timeout=30):
        self.socket = server.connect(timeout)
        self.buffer = b''
        self.received = b''
        self.ended = None        # 'last chunk' or 'closed'
        head = (f'SSYNC /{device}/{partition} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n'
                f'Transfer-Encoding: chunked\r\nX-Backend-Storage-Policy-Index: {policy}\r\n')
        if frag_index is not None:
            head += (f'X-Backend-Ssync-Frag-Index: {frag_index}\r\n'
                     f'X-Backend-Ssync-Node-Index: {frag_index}\r\n')
        head += ''.join(f'{name}: {value}\r\n' for name, value in headers)
        self.socket.sendall(head.encode() + b'\r\n')
        self.head = self._read_until(b'\r\n\r\n')
        self.status = int(self.head.split(b' ')[1]) if self.head else None

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b''
        self.buffer += data
        return data

    def _read_until(self, marker):
        while marker not in self.buffer:
            if not self._more():
                return b''
        at = self.buffer.index(marker) + len(marker)
        data, self.buffer = self.buffer[:at], self.buffer[at:]
        return data

    def send(self, data):
        """One chunk a call; False when the server takes no more."""
        return self.send_raw(chunk(data))

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read_chunk(self):
        """One chunk's payload, or None at the end of the answer."""
        line = self._read_until(b'\r\n')
        if not line:
            self.ended = 'closed'
            return None
        length = int(line.split(b';')[0], 16)
        while len(self.buffer) < length + 2:
            if not self._more():
                self.ended = 'closed'
                return None
        payload, self.buffer = self.buffer[:length], self.buffer[length + 2:]
        self.received += payload
        if not length:
            self.ended = 'last chunk'
            return None
        return payload

    def read_until(self, marker):
        """Reads chunks until `marker` is among what they said; False when it never came."""
        while marker not in self.received:
            if self.read_chunk() is None:
                return False
        return True

    def read_to_end(self):
        while self.read_chunk() is not None:
            pass
        return self.received

    def close(self):
        self.socket.close()


def offers(*lines):
    return b':MISSING_CHECK: START\r\n' + b''.join(line + b'\r\n' for line in lines) \
        + b':MISSING_CHECK: END\r\n'


def updates(*requests):
    return b':UPDATES: START\r\n' + b''.join(requests) + b':UPDATES: END\r\n'


def sub_request(method, path, headers, body=None):
    lines = [b'%s %s' % (method.encode(), path.encode())]
    if body is not None:
        headers = dict({'Content-Length': str(len(body))}, **headers)
    for name, value in headers.items():
        if value is None:
            continue
        if isinstance(value, str):
            value = value.encode('utf-8')
        lines.append(name.encode() + b': ' + value)
    return b'\r\n'.join(lines) + b'\r\n\r\n' + (body or b'')


def object_hash(path):
    """As the servers of two_servers.py hash names."""
    return hashlib.md5(b'pre' + path.encode() + b'interop').hexdigest()
