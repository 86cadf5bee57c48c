"""Hostile peers, each kind at a bounded pace: what is measured is what they cost the server.

`crowd(...)` runs in a process of its own: it opens its connections when told to, acts a fixed
number of times a second, and says how much CPU it used.
"""

import resource
import selectors
import socket
import time

HEAD = 'X-Backend-Storage-Policy-Index: 1\r\nHost: x\r\n'
GET = b'GET /sdb/3/a/c/large HTTP/1.1\r\nX-Backend-Storage-Policy-Index: 0\r\nHost: x\r\n\r\n'
TICK_S = 0.1
SETTLE_S = 1.0


def session_head(device, partition):
    return (f'SSYNC /{device}/{partition} HTTP/1.1\r\nX-Backend-Ssync-Frag-Index: 2\r\n'
            f'Transfer-Encoding: chunked\r\n{HEAD}\r\n').encode()


def chunk(data):
    return b'%x\r\n%s\r\n' % (len(data), data)


PUT = (b'PUT /a/c/slow\r\nContent-Length: 500000\r\nX-Timestamp: 1795333043.00000\r\n'
       b'Content-Type: a/b\r\n\r\n')
OPENING = b':MISSING_CHECK: START\r\n'
UPDATES = OPENING + b':MISSING_CHECK: END\r\n:UPDATES: START\r\n'


class Kind:
    """`many` connections that are kept open, of which `pace` a second say `drop` once more, or are
    opened anew when the server has ended them; with `hangs_up` connections, `pace` a second, that
    say `first` and hang up."""

    def __init__(self, many, pace, first, drop=b'', small_window=False, hangs_up=False):
        self.many, self.pace, self.first, self.drop = many, pace, first, drop
        self.small_window, self.hangs_up = small_window, hangs_up


def kinds(devices):
    """{name: Kind}. Sessions of the crowd have devices of their own: a device's place is given to
    whoever asks first, here as in Swift."""
    return {
        'half a head, then a byte now and then': Kind(400, 40, lambda n: b'GET / HT', b'a'),
        'nothing at all': Kind(200, 5, lambda n: b''),
        'answers that nobody reads': Kind(60, 5, lambda n: GET * 20, small_window=True),
        'sessions that offer slowly': Kind(
            len(devices), 4, lambda n: session_head(devices[n], n) + chunk(OPENING),
            chunk(b'%032x 1795333043.00000\r\n' % 7)),
        'bodies that come slowly': Kind(
            len(devices), 8, lambda n: session_head(devices[n], 40 + n) + chunk(UPDATES + PUT),
            chunk(b'x' * 100)),
        'sessions that queue for a device': Kind(
            200, 10, lambda n: session_head(devices[0], 100 + n) + chunk(OPENING)),
        'requests that are none': Kind(10, 10, lambda n: b'\x16\x03\x01\x02\r\n\r\n'),
        'heads that are too long': Kind(
            4, 4, lambda n: b'GET / HTTP/1.1\r\n' + b'A: b\r\n' * 9000),
        'hanging up at once': Kind(20, 20, lambda n: GET, hangs_up=True),
        'paths that lead out': Kind(
            10, 10, lambda n: f'GET /..%2f/3/a/c/o HTTP/1.1\r\n{HEAD}\r\n'.encode(), b'a'),
        'sessions of nonsense': Kind(
            5, 5, lambda n: session_head('sdb', 200 + n) + chunk(b'NONSENSE\r\n')),
    }


class Crowd:
    def __init__(self, port, wanted):
        self.port, self.wanted = port, wanted
        self.open = {name: [None] * kind.many for name, kind in wanted.items()}
        self.turn = dict.fromkeys(wanted, 0)
        self.owed = dict.fromkeys(wanted, 0.0)
        self.acts = self.ended = 0

    def connect(self, name, number):
        kind = self.wanted[name]
        peer = socket.socket()
        if kind.small_window:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.settimeout(2)
        try:
            peer.connect(('127.0.0.1', self.port))
            peer.setblocking(False)
            peer.send(kind.first(number))
        except OSError:
            peer.close()
            return None
        return peer

    def act(self, name):
        kind, places = self.wanted[name], self.open[name]
        number = self.turn[name] % kind.many
        self.turn[name] += 1
        self.acts += 1
        peer = places[number]
        if peer is None or kind.hangs_up:
            if peer is not None:
                peer.close()
            places[number] = self.connect(name, number)
            if kind.hangs_up and places[number] is not None:
                places[number].close()
                places[number] = None
            return
        try:
            if not kind.small_window and peer.recv(65536) == b'':
                raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            peer.close()
            places[number] = None
            self.ended += 1
            return
        try:
            if kind.drop:
                peer.send(kind.drop)
        except BlockingIOError:
            pass
        except OSError:
            pass

    def start(self):
        for name, kind in self.wanted.items():
            for number in range(0 if kind.hangs_up else kind.many):
                self.open[name][number] = self.connect(name, number)

    def tick(self):
        for name, kind in self.wanted.items():
            self.owed[name] += kind.pace * TICK_S
            while self.owed[name] >= 1:
                self.owed[name] -= 1
                self.act(name)

    def stop(self):
        for places in self.open.values():
            for number, peer in enumerate(places):
                if peer is not None:
                    peer.close()
                places[number] = None


def crowd(port, wanted, pipe):
    """Obeys `on`, `off` and `end`; answers `on` when all are there, and `off` with its figures."""
    with selectors.DefaultSelector() as watch:
        watch.register(pipe, selectors.EVENT_READ)
        while True:
            order = pipe.recv()
            if order == 'end':
                return
            people = Crowd(port, kinds_of(wanted))
            people.start()
            settled = time.monotonic() + SETTLE_S
            while time.monotonic() < settled:
                people.tick()
                time.sleep(TICK_S)
            began_s, people.acts = cpu_s(), 0
            pipe.send('there')
            while not watch.select(0):
                people.tick()
                time.sleep(TICK_S)
            pipe.recv()
            used_s = cpu_s() - began_s
            people.stop()
            pipe.send({'cpu_s': used_s, 'acts': people.acts, 'ended_by_server': people.ended})


def kinds_of(wanted):
    devices, names = wanted
    return {name: kind for name, kind in kinds(devices).items() if name in names}


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
