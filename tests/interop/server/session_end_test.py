#!/usr/bin/python3
"""How sessions end that do not end well: locks, places, devices, patience. Swift beside us."""

import fcntl
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from ssync_client import Session, chunk, object_hash, offers, updates  # noqa: E402
from ssync_test import OBJECTS, put_request  # noqa: E402


class SessionEnds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage(devices=('sda', 'sdb'))
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill(OBJECTS)
        options = {'replication_lock_timeout': 1, 'client_timeout': 2, 'replication_concurrency': 2}
        cls.servers = [cls.stage.start(kind, **options) for kind in ('swift', 'ours')]

    def pair(self, **options):
        """Swift's server and ours for the running test alone."""
        name = self.id().rpartition('.')[2]
        return [self.stage.start(kind, root=self.stage.copy(f'{kind}-{name}'), **options)
                for kind in ('swift', 'ours')]

    def on_both(self, play, servers=None):
        theirs, ours = (play(server) for server in servers or self.servers)
        self.assertEqual(ours, theirs)
        return ours

    @staticmethod
    def whole(server, *pieces, **options):
        """Status line and decoded answer of a session that sends `pieces` and reads to the end."""
        session = Session(server, **options)
        for piece in pieces:
            session.send(piece)
        said = session.read_to_end() if session.status == 200 else b''
        session.close()
        return session.head.split(b'\r\n')[0], said.replace(server.root.encode(), b'ROOT'), \
            session.ended

    def hold(self, server, *parts):
        """Holds a lock file of the server's device."""
        path = os.path.join(server.root, 'srv', 'sda', *parts)
        handle = open(path, 'w', encoding='ascii')
        fcntl.flock(handle, fcntl.LOCK_EX)
        self.addCleanup(handle.close)
        return handle

    def test_a_locked_partition(self):
        def play(server):
            with self.hold(server, 'objects-1', '3', '.lock-replication'):
                return self.whole(server, offers())
        said = self.on_both(play)
        self.assertIn(b":ERROR: 0 '1 second: ROOT", said[1])

    def test_a_locked_device(self):
        def play(server):
            with self.hold(server, '.lock'):
                head, said, ended = self.whole(server, offers())
                # What is left of the budget is in the words, to the nanosecond.
                return head, re.sub(rb'0\.\d+ seconds', b'SECONDS', said), ended
        self.assertIn(b":ERROR: 0 'SECONDS: ROOT", self.on_both(play)[1])

    def test_a_lock_that_is_given_back_in_time(self):
        for server in self.pair(replication_lock_timeout=60, client_timeout=60):
            handle = self.hold(server, '.lock')
            session = Session(server)
            session.send(offers())
            handle.close()
            self.assertTrue(session.read_until(b':MISSING_CHECK: END\r\n'), server.kind)
            session.close()

    @staticmethod
    def begun(server, **options):
        """A session that has its place and its locks, and keeps them."""
        session = Session(server, **options)
        session.send(offers())
        session.read_until(b':MISSING_CHECK: END\r\n')
        return session

    def test_too_many_sessions(self):
        def play(server):
            # One for each device: a second one would wait for the lock of the first.
            holders = [self.begun(server, device=device, partition='5')
                       for device in ('sda', 'sdb')]
            self.assertEqual([holder.ended for holder in holders], [None, None])
            said = self.whole(server, partition='7')
            for holder in holders:
                holder.close()
            return said
        servers = self.pair(replication_concurrency=2, replication_lock_timeout=60,
                            client_timeout=60)
        self.assertIn(b':ERROR: 503', self.on_both(play, servers)[1])

    def test_one_device_one_session(self):
        # The first one says nothing for as long as the second one waits.
        for server in self.pair(replication_lock_timeout=1, client_timeout=60):
            first = self.begun(server, partition='8')
            self.assertIn(b'.lock', self.whole(server, offers(), partition='9')[1])
            first.send(updates(put_request('x')))
            self.assertIn(b':UPDATES: END', first.read_to_end())
            first.close()

    def test_refusals_before_a_session(self):
        for options in ({'device': 'nosuch'}, {'policy': 9}, {'frag_index': 'x'},
                        {'partition': '3/abc'}, {'partition': '..'}):
            self.on_both(lambda server, options=options: self.whole(server, **options)[0])

    def test_silence(self):
        for pieces in ((), (b':MISSING_CHECK: START\r\n',), (offers(),),
                       (offers(), b':UPDATES: START\r\n'),
                       (offers(), b':UPDATES: START\r\nPUT /a/c/x\r\n')):
            said = self.on_both(lambda server, pieces=pieces: self.whole(server, *pieces))
            self.assertIn(b':ERROR: 408', said[1])

    def test_clean_ends_in_the_middle(self):
        def ends_after(server, *pieces):
            session = Session(server)
            for piece in pieces:
                session.send(piece)
            session.send_raw(b'0\r\n\r\n')
            session.read_to_end()
            session.close()
            return session.ended, b':UPDATES: END' in session.received
        for pieces in ((), (offers(),), (b':MISSING_CHECK: START\r\n',)):
            self.on_both(lambda server, pieces=pieces: ends_after(server, *pieces))
        # A verdict goes only to a sender that asked for it; Swift gives it to one that left, too.
        ours = ends_after(self.servers[1], offers(), b':UPDATES: START\r\n')
        self.assertEqual(ours, ('closed', False))

    def test_a_sender_that_vanishes_gives_its_locks_back(self):
        for server in self.servers:
            self.vanish(server, put_request('y')[:-10])
            self.open_session(server).close()

    def test_a_sender_that_vanishes_within_a_large_body_leaves_nothing(self):
        server = self.servers[1]
        device = os.path.join(server.root, 'srv', 'sda')

        # Empty directories stay, as Swift's do.
        def files():
            return {path for path, content in two_servers.tree(device).items()
                    if content is not None}

        before = files()
        body = b'large body' * 100000
        # Our server writes buffers of 256 KiB while the next one comes.
        for sent in (1, 262143, 262144, 262145, 524288, 786433, len(body) - 1):
            self.vanish(server, put_request('vanished', body=body)[:sent - len(body)])
            session = self.open_session(server)
            session.send(updates())
            self.assertIn(b':UPDATES: END', session.read_to_end())
            session.close()
            self.assertEqual(files(), before)

    def vanish(self, server, part):
        session = self.begun(server, partition='10')
        session.send(b':UPDATES: START\r\n' + part)
        session.close()

    def open_session(self, server):
        """A session behind its missing check, as soon as the server has noticed who left."""
        give_up = time.monotonic() + 10
        while True:
            session = self.begun(server, partition='10')
            if b':MISSING_CHECK: END' in session.received:
                return session
            session.close()
            self.assertLess(time.monotonic(), give_up, server.kind)

    def test_the_wrong_protocol(self):
        for pieces in ((b'NONSENSE\r\n',), (offers(), b'NONSENSE\r\n'),
                       (b':MISSING_CHECK: START\r\n', chunk(b''))):
            self.on_both(lambda server, pieces=pieces: re.sub(
                rb':ERROR: 0 .*', b':ERROR: 0', self.whole(server, *pieces)[1]))

    def test_a_replication_server_that_is_none(self):
        servers = self.pair(replication_server='false')
        for method in ('SSYNC', 'REPLICATE', 'GET'):
            theirs, ours = (server.request(method, '/sda/3', {
                'X-Backend-Storage-Policy-Index': '1'}) for server in servers)
            self.assertEqual((ours.status, ours.body), (theirs.status, theirs.body))
        theirs, ours = (server.request('OPTIONS', '/') for server in servers)
        self.assertEqual(ours.headers['allow'], theirs.headers['allow'])


RING = '''
import sys
from swift.common.ring import RingBuilder
builder = RingBuilder(4, 6, 0)
for number in range(6):
    builder.add_dev({'id': number, 'region': 1, 'zone': number, 'ip': '127.0.0.1', 'port': 6200,
                     'device': f'sd{number}', 'weight': 1})
builder.rebalance(seed=1)
builder.get_ring().save(sys.argv[1])
'''


class Misplaced(unittest.TestCase):
    """With a ring at hand, an object must belong to the partition that the session locked."""

    def test_what_does_not_belong_is_neither_taken_nor_called_delivered(self):
        stage = two_servers.Stage(devices=('sda',))
        self.addCleanup(stage.close)
        subprocess.run(['/usr/bin/python3', '-W', 'ignore', '-c', RING,
                        os.path.join(stage.base, 'object-1.ring.gz')], check=True)
        server = stage.start('ours')
        own = int(object_hash('/a/c/x')[0], 16)
        for partition, belongs in ((own, True), ((own + 1) % 16, False)):
            offer = object_hash('/a/c/x').encode() + b' 1795333043.00000'
            session = Session(server, partition=str(partition))
            session.send(offers(offer))
            session.read_until(b':MISSING_CHECK: END\r\n')
            self.assertEqual(b' dm' in session.received, belongs)
            session.send(updates())
            self.assertEqual(b':UPDATES: END' in session.read_to_end(), belongs)
            self.assertEqual(b'ERROR: With :UPDATES: 1 failures' in session.received, not belongs)
            session.close()
            session = Session(server, partition=str(partition))
            session.send(offers())
            session.read_until(b':MISSING_CHECK: END\r\n')
            session.send(updates(put_request('x')))
            self.assertEqual(b':UPDATES: END' in session.read_to_end(), belongs)
            session.close()
        stored = [path for path in two_servers.tree(os.path.join(server.root, 'srv', 'sda'))
                  if path.endswith('.data')]
        self.assertEqual([path.split('/')[1] for path in stored], [str(own)])


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
