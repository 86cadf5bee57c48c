"""Collects the syslog datagrams of a lab's servers, one file a node; no /dev/log is needed."""

import re
import socket

_PRIORITY = re.compile(rb'^<\d+>')
_SEVERITIES = ('EMERG', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG')

SO_RCVBUFFORCE = 33  # Linux; Python has no name for it. More than net.core.rmem_max, for root.
BUFFER_BYTES = 16 << 20


class LogCollector:
    """One UDP port and its log file. Owned and polled by the holder."""

    def __init__(self, ip, port, path):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        _make_room(self.socket)
        self.socket.bind((ip, port))
        self.socket.setblocking(False)
        self._out = open(path, 'ab', buffering=0)

    def drain(self):
        """Writes everything that has arrived: `<SEVERITY> <log name>: <message>`, a line each."""
        while True:
            try:
                datagram = self.socket.recv(65536)
            except BlockingIOError:
                return
            self._out.write(_line(datagram))


def _make_room(udp):
    """Datagrams that find no room are lost, and their lines with them."""
    try:
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    except OSError:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def _line(datagram):
    text = datagram.rstrip(b'\0\n')
    priority = _PRIORITY.match(text)
    if not priority:
        return text + b'\n'
    severity = _SEVERITIES[int(priority.group()[1:-1]) % 8]
    return severity.encode() + b' ' + text[priority.end():] + b'\n'
