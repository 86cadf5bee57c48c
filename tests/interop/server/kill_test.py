#!/usr/bin/python3
"""kill -9 of the server in the middle of its work; injection_test.py has single system calls.

FRAGMEND_FULL=1 kills 500 times; FRAGMEND_SEED repeats the moments."""

import hashlib
import os
import random
import re
import shutil
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from ssync_client import Session, offers, sub_request, updates  # noqa: E402
from ssync_test import T, meta  # noqa: E402

KILLS = 500 if os.environ.get('FRAGMEND_FULL') else 12
SEED = int(os.environ.get('FRAGMEND_SEED', time.time_ns() % 1000000))
PARTITIONS = 4


def body_of(name, size):
    return (hashlib.md5(name.encode()).digest() * (size // 16 + 1))[:size]


class Sender(threading.Thread):
    """Sessions one after another until the server is gone; knows what was acknowledged."""

    def __init__(self, server, partition, round_number):
        super().__init__()
        self.server, self.partition, self.round = server, str(partition), round_number
        self.acknowledged, self.sent = {}, {}

    def run(self):
        try:
            for number in range(10000):
                self.one_session(number)
        except (OSError, AssertionError, ValueError, IndexError):
            pass

    def one_session(self, number):
        batch = {}
        for i in range(6):
            name = f'/a/c/{self.partition}-{self.round}-{number}-{i}'
            batch[name] = body_of(name, (0, 100, 5000, 70000, 600000, 1300)[i])
        session = Session(self.server, device='sda', partition=self.partition)
        session.send(offers())
        assert session.read_until(b':MISSING_CHECK: END\r\n')
        self.sent.update(batch)
        assert session.send(updates(*[sub_request('PUT', name, meta(T[3]), body)
                                      for name, body in batch.items()]))
        if b':UPDATES: END\r\n' in session.read_to_end():
            self.acknowledged.update(batch)
        session.close()


def stored(device):
    """{name: (file name, bytes, metadata)} of all fragments on a device, and what else lies there."""
    import pickle
    found, odd = {}, []
    for folder, _folders, files in os.walk(device):
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith('.data'):
                blob = os.getxattr(path, 'user.swift.metadata')
                items = pickle.loads(blob, encoding='bytes')
                with open(path, 'rb') as handle:
                    found[items[b'name'].decode()] = name, handle.read(), items
            elif not re.match(r'(\.lock.*|hashes\.(pkl|invalid))$', name):
                odd.append(path)
    return found, odd


class Killed(unittest.TestCase):
    def check(self, device, senders):
        found, odd = stored(device)
        self.assertEqual(odd, [], 'temporary files stay behind')
        sent = {name: body for sender in senders for name, body in sender.sent.items()}
        for sender in senders:
            for name, body in sender.acknowledged.items():
                self.assertIn(name, found, 'acknowledged and lost')
                self.assertEqual(found[name][1], body)
                self.assertTrue(found[name][0].endswith('#2#d.data'))
        for name, (_file, body, items) in found.items():
            self.assertEqual(body, sent[name], f'{name} is visible and not whole')
            self.assertEqual(items[b'ETag'].decode(), hashlib.md5(body).hexdigest())
            self.assertEqual(int(items[b'Content-Length']), len(body))
        return len(found)

    def test_kill_at_any_moment(self):
        print(f'FRAGMEND_SEED={SEED}')
        dice = random.Random(SEED)
        stage = two_servers.Stage(devices=('sda',))
        self.addCleanup(stage.close)
        root = stage.copy('ours')
        device = os.path.join(root, 'srv', 'sda')
        kept = acknowledged = 0
        for number in range(KILLS):
            server = two_servers.Server('ours', root,
                                        {'replication_concurrency_per_device': PARTITIONS})
            senders = [Sender(server, partition, number) for partition in range(PARTITIONS)]
            for sender in senders:
                sender.start()
            if number % 4 == 0:
                two_servers.wait_until(lambda: any(one.acknowledged for one in senders),
                                       'a whole session')
            time.sleep(dice.uniform(0, 0.4))
            server.stop(signal.SIGKILL)
            for sender in senders:
                sender.join()
            kept += self.check(device, senders)
            acknowledged += sum(len(sender.acknowledged) for sender in senders)
            shutil.rmtree(os.path.join(device, 'objects-1'), ignore_errors=True)
        print(f'{KILLS} kills, {kept} fragments on the disk, {acknowledged} of them acknowledged')
        self.assertGreater(kept, 0)
        self.assertGreater(acknowledged, 0)

    def test_an_end_by_signal_finishes_what_is_on_its_way(self):
        stage = two_servers.Stage(devices=('sda',))
        self.addCleanup(stage.close)
        server = stage.start('ours', replication_concurrency_per_device=PARTITIONS)
        senders = [Sender(server, partition, 0) for partition in range(PARTITIONS)]
        for sender in senders:
            sender.start()

        def all_have_sent():
            self.assertTrue(all(sender.is_alive() for sender in senders), server.log()[-2000:])
            return all(sender.sent for sender in senders)
        two_servers.wait_until(all_have_sent, 'all senders to be in a session')
        self.assertEqual(server.stop(signal.SIGTERM), 0, server.log()[-2000:])
        for sender in senders:
            sender.join()
        self.check(os.path.join(server.root, 'srv', 'sda'), senders)


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
