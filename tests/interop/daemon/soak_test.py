#!/usr/bin/python3
"""All nodes for ever, while rings are pushed, servers killed, disks unmounted and clients write.

FRAGMEND_SOAK_S says for how long (default 40 seconds, at most half an hour), FRAGMEND_SEED repeats
the choices. Afterwards everything is healed: each object that a client was told is stored must be
there, whole, with all its fragments in place; processes must not have grown.
"""

import collections
import hashlib
import json
import os
import random
import re
import signal
import statistics
import threading
import time

from daemons import Daemon, is_alive, open_files, rss_kib, wait_until

from support import case, disks, program  # noqa: E402  (daemons finds it)
from swiftlab import proxy_client

SOAK_S = min(1800.0, float(os.environ.get('FRAGMEND_SOAK_S', '40')))
SEED = int(os.environ.get('FRAGMEND_SEED', '0')) or random.SystemRandom().randrange(1, 10 ** 6)
HEAL_LIMIT_S = 120.0
SIZES = (0, 1, 1000, 65536, 65537, 200000)
ACCOUNT, CONTAINER = 'AUTH_soak', 'c'
# New contents of old names after these, so that what is stored does not grow for as long as it lasts.
NAMES = 400
# What must be stored at the end of the troubles for the test to mean something.
OBJECTS_MIN = 5
OPTIONS = {'interval': 0.3, 'ring_check_interval': 0.5, 'stats_interval': 2, 'http_timeout': 5,
           'node_timeout': 3, 'conn_timeout': 2}


class Clients(threading.Thread):
    """Writes, overwrites and deletes objects; remembers what the cluster promised."""

    def __init__(self, lab, dice):
        super().__init__(daemon=True)
        self._lab, self._dice = lab, dice
        self.stopping = threading.Event()
        self.stored = {}  # Name: content.
        self.deleted = set()
        self.refused = collections.Counter()

    def run(self):
        number = 0
        while not self.stopping.is_set():
            try:
                with proxy_client.connection(self._lab) as link:
                    while not self.stopping.is_set():
                        number += 1
                        self._one(link, f'o{number % NAMES:03d}')
                        self.stopping.wait(0.02)
            except Exception as error:  # What was asked on a broken connection is not known.
                self.refused[type(error).__name__] += 1
                self.stopping.wait(0.1)

    def _one(self, link, name):
        if self.stored and self._dice.random() < 0.2:
            name = self._dice.choice(sorted(self.stored))
            # Whatever comes of it, nobody promises this object any more.
            del self.stored[name]
            status, _headers, _body = proxy_client.request(
                link, 'DELETE', proxy_client.path_of(ACCOUNT, CONTAINER, name))
            if status == 204:
                self.deleted.add(name)
            return
        body = self._dice.randbytes(self._dice.choice(SIZES))
        # Until the answer nobody knows which content, or none, there will be.
        self.stored.pop(name, None)
        self.deleted.discard(name)
        status, _headers, _body = proxy_client.request(
            link, 'PUT', proxy_client.path_of(ACCOUNT, CONTAINER, name), body,
            {'X-Object-Meta-Md5': hashlib.md5(body).hexdigest()})
        if status == 201:
            self.stored[name] = body
        else:
            self.refused[status] += 1


class Growth(threading.Thread):
    """Samples memory and descriptors of a process twice a second."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._pid = pid
        self.samples = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(0.5):
            try:
                self.samples.append((rss_kib(self._pid), open_files(self._pid)))
            except OSError:
                return

    def quarters(self, column):
        """Medians of the second and of the last quarter."""
        values = [sample[column] for sample in self.samples]
        quarter = max(1, len(values) // 4)
        return (statistics.median(values[quarter:2 * quarter] or values),
                statistics.median(values[-quarter:]))

    def peak(self, column):
        """The most in the second quarter."""
        values = [sample[column] for sample in self.samples]
        quarter = max(1, len(values) // 4)
        return max(values[quarter:2 * quarter] or values)


class Soak(case.InteropCase):
    """Four nodes: one single process, two with workers, one that is told to read its files again."""

    options = {'servers': 4, 'devices': 8, 'part_power': 3, 'segment_bytes': 65536, 'proxy': True,
               'mount_check': True,
               # The proxy would shun a device for a minute after one answer of 507.
               'proxy_conf': {'error_suppression_interval': 0.5}}
    restores = False

    @classmethod
    def fill(cls):
        print(f'FRAGMEND_SEED={SEED} FRAGMEND_SOAK_S={SOAK_S}', flush=True)
        cls.lab.make_container(ACCOUNT, CONTAINER, cls.lab.spec.policy().index)

    def setUp(self):
        super().setUp()
        self.dice = random.Random(SEED)
        self.ring_path = self.lab.layout.path('etc', 'object-1.ring.gz')
        with open(self.ring_path, 'rb') as file:
            self.home_ring = file.read()
        self.unmounted, self.killed = None, None
        self.daemons = {node: Daemon(self.lab, node, dict(
            OPTIONS, reconstructor_workers=2 if node in (2, 3) else 0)) for node in range(1, 5)}
        for daemon in self.daemons.values():
            self.addCleanup(daemon.end, signal.SIGKILL)
            daemon.wait_for(r'Object reconstruction complete\.')

    # What happens to the cluster.

    def push_ring(self, home=False):
        """A ring in which some partitions have one other device, or the ring of the start."""
        from swift.common.ring import RingData
        temporary = self.ring_path + '.new'
        if home or self.dice.random() < 0.4:
            with open(temporary, 'wb') as file:
                file.write(self.home_ring)
        else:
            with open(temporary + '.gz', 'wb') as file:
                file.write(self.home_ring)
            ring = RingData.load(temporary + '.gz')
            rows = ring._replica2part2dev_id
            for partition in range(1 << self.lab.spec.part_power):
                held = [row[partition] for row in rows]
                others = [device['id'] for device in ring.devs if device['id'] not in held]
                if others and self.dice.random() < 0.3:
                    self.dice.choice(rows)[partition] = self.dice.choice(others)
            ring.save(temporary)
        os.rename(temporary, self.ring_path)

    def change_mounts(self):
        if self.unmounted:
            self.lab.mount(self.unmounted)
            self.unmounted = None
        else:
            self.unmounted = self.dice.choice(self.lab.layout.device_names)
            self.lab.unmount(self.unmounted)

    def change_servers(self):
        if self.killed:
            self.lab.start(self.killed)
            self.killed = None
        else:
            self.killed = self.dice.randrange(1, 5)
            self.lab.kill(self.killed)

    def read_files_again(self):
        self.daemons[4].send(signal.SIGHUP)

    def kill_worker(self):
        workers = self.daemons[3].workers
        if workers:
            os.kill(self.dice.choice(workers), signal.SIGKILL)

    def heal(self):
        self.push_ring(home=True)
        if self.unmounted:
            self.change_mounts()
        if self.killed:
            self.change_servers()

    # What must be true afterwards.

    def complaints(self, clients):
        """What is not as the clients were told."""
        wrong = []
        with proxy_client.connection(self.lab) as link:
            for name in sorted(set(clients.stored) | clients.deleted):
                status, _headers, body = proxy_client.request(
                    link, 'GET', proxy_client.path_of(ACCOUNT, CONTAINER, name))
                if name in clients.deleted:
                    if status != 404:
                        wrong.append(f'{name}: {status} instead of 404')
                elif status != 200 or body != clients.stored[name]:
                    wrong.append(f'{name}: {status}, {len(body)} bytes')
        return wrong

    def incomplete(self, clients):
        """Stored objects that lack a durable fragment on one of their primaries.

        Objects of which fewer than k were written to primaries wait for the others to be reverted,
        where the program under test reverts.
        """
        from swift.common.ring import RingData
        ring = RingData.load(self.ring_path)
        rows = [[ring.devs[row[partition]]['device'] for row in ring._replica2part2dev_id]
                for partition in range(1 << self.lab.spec.part_power)]
        taken = disks.manifests(self.lab)
        found, elsewhere = {}, set()
        for device, manifest in taken.items():
            for path, entry in manifest.items():
                match = disks.DATA_FILE.match(path)
                if match and path.endswith('#d.data'):
                    partition, index = int(match['partition']), int(match['index'])
                    name = entry['metadata']['name']
                    if rows[partition][index] == device:
                        versions = found.setdefault(name, {})
                        versions.setdefault(entry['metadata']['X-Timestamp'], set()).add(index)
                    elif self.waits_for_reverts():
                        elsewhere.add(name)
        every = set(range(self.policy.unique_fragments))
        found = {name: versions[max(versions)] for name, versions in found.items()}
        return [f'{name}: fragments {sorted(every - found.get(path, set()))} missing'
                for name in sorted(clients.stored)
                for path in [f'/{ACCOUNT}/{CONTAINER}/{name}']
                if found.get(path) != every and path not in elsewhere]

    def waits_for_reverts(self):
        return any(daemon.lines('wait for a revert') for daemon in self.daemons.values())

    def test_nothing_is_lost_and_nothing_grows(self):
        pids = {node: self.daemons[node].pid for node in self.daemons}
        watched = {'node 1': pids[1], "node 2's parent": pids[2]}
        watched.update({f"worker {number} of node 2": pid
                        for number, pid in enumerate(self.daemons[2].workers, 1)})
        growth = {name: Growth(pid) for name, pid in watched.items()}
        clients = Clients(self.lab, random.Random(SEED))
        for thread in [clients, *growth.values()]:
            thread.start()
        happenings = [self.push_ring, self.push_ring, self.change_mounts, self.change_mounts,
                      self.change_servers, self.change_servers, self.read_files_again,
                      self.kill_worker]
        counts = {}
        deadline = time.monotonic() + SOAK_S
        while time.monotonic() < deadline:
            what = self.dice.choice(happenings)
            counts[what.__name__] = counts.get(what.__name__, 0) + 1
            what()
            time.sleep(self.dice.uniform(0.2, 1.5))
        clients.stopping.set()
        clients.join(60)
        self.assertFalse(clients.is_alive())
        self.assertGreaterEqual(len(clients.stored), OBJECTS_MIN,
                                f'too few to prove anything: {clients.refused}')
        self.heal()
        wrong = []

        def is_whole():
            wrong[:] = self.complaints(clients) + self.incomplete(clients)
            return not wrong
        try:
            wait_until(is_whole, 'all objects to be whole', HEAL_LIMIT_S)
        except AssertionError:
            self.fail(f'{len(wrong)} of {len(clients.stored)}: {wrong[:10]}\n' + '\n'.join(
                line for daemon in self.daemons.values() for line in daemon.log[-8:]))
        for thread in growth.values():
            thread.stopping.set()
            thread.join()
        print(f'{counts}; {len(clients.stored)} stored, {len(clients.deleted)} deleted, '
              f'refused: {dict(clients.refused)}; '
              + '; '.join(f'{name}: {one.quarters(0)} KiB {one.quarters(1)} files'
                          for name, one in growth.items()), flush=True)
        self.check_growth(growth)
        self.check_logs(pids)

    def check_growth(self, growth):
        for name, one in growth.items():
            early, late = one.quarters(0)
            # Connections come and go with the servers: many at the end may have been many before.
            files_early, files_late = one.peak(1), one.quarters(1)[1]
            self.assertLess(late, early * 1.25 + 8192, f'{name}: memory in KiB')
            self.assertLess(files_late, files_early * 1.25 + 16, f'{name}: open files')

    def check_logs(self, pids):
        for node, daemon in self.daemons.items():
            self.assertTrue(is_alive(pids[node]), f'node {node}')
            for sign in ('Traceback', 'assertion', 'internal', 'Lockup', 'do not end'):
                self.assertEqual([], daemon.lines(sign), f'node {node}')
            if node != 3:
                self.assertEqual([], daemon.lines(r'died \('), f'node {node}')
        # swift-recon shows what the log says.
        self.daemons[1].wait_for_pass(2)
        path = self.lab.layout.path('cache', '1', 'object.recon')

        def told_as_said():
            with open(path, encoding='ascii') as file:
                held = json.load(file)
            last = self.daemons[1].lines(r'complete\. \(')[-1]
            said = float(re.search(r'\((\d+\.\d+) minutes\)', last)[1])
            return (abs(said - held['object_reconstruction_time']) <= 0.02
                    and abs(time.time() - held['object_reconstruction_last']) <= 15)
        wait_until(told_as_said, 'object.recon to be as the last line of a pass')
        for daemon in self.daemons.values():
            self.assertEqual(0, daemon.end().exit_code)


if __name__ == '__main__':
    if program.IS_SWIFT:
        raise SystemExit("skipped: Swift's daemon does not survive SIGHUP")
    case.main()
