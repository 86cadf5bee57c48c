#!/usr/bin/python3
"""`fragmend server` in place of Swift's object servers: rebuilds by either reconstructor."""

import json
import os
import random
import re
import shutil
import threading

from support import case, disks, objects, program
from swiftlab import layout, proxy_client

DISPERSION = os.path.join(os.path.dirname(os.path.abspath(program.__file__)), 'dispersion.py')
TRIES_MAX = 3  # Of tools that give up on a server that is slow.
OURS = [program.PROGRAM, 'server'] if not program.IS_SWIFT else None


class ServedByFragmend(case.InteropCase):
    """4+2 over six servers; the numbers in `ours` are served by Fragmend, the others by Swift."""

    options = {'servers': 6, 'devices': 12, 'part_power': 3, 'segment_bytes': 65536}
    starts = False
    ours = (1, 2, 3, 4, 5, 6)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for node in cls.lab.layout.nodes:
            cls.lab.start(node.number, OURS if node.number in cls.ours else None)

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.peculiar(policy)
                      + objects.sized(policy, [*range(100, 2100, 100), 0, 1, 65535, 65536, 65537,
                                               objects.MIB, objects.MIB * 7 // 2]))

    def both_rebuild(self, damage):
        """The same damage, mended by Swift's reconstructor and by ours."""
        for by_swift in (True, False):
            self._saved.restore()
            damage()
            self.passes_until_as_before(by_swift)

    @case.fragmend_only('there is no server of ours then')
    def test_one_wiped_device(self):
        self.both_rebuild(lambda: self.lab.wipe('d1'))

    @case.fragmend_only('there is no server of ours then')
    def test_two_wiped_devices(self):
        def damage():
            self.lab.wipe('d2')
            self.lab.wipe('d7')
        self.both_rebuild(damage)

    @case.fragmend_only('there is no server of ours then')
    def test_single_fragments(self):
        def damage():
            for device in ('d3', 'd8'):
                for path in self.lab.object_files(device)[::3]:
                    os.unlink(os.path.join(self.lab.device_path(device), path))
                    disks.forget_hashes(self.lab, device, path)
        self.both_rebuild(damage)

    @case.fragmend_only('there is no server of ours then')
    def test_damage_at_rest_is_found_while_it_is_served(self):
        path = next(path for path in self.lab.object_files('d4')
                    if os.path.getsize(os.path.join(self.lab.device_path('d4'), path)) > 50000)
        self.lab.corrupt('d4', path)
        self.lab.wipe('d1')
        self.rebuild()


class ServedByBoth(ServedByFragmend):
    """Half of the nodes still run Swift's object server."""

    ours = (1, 3, 5)
    if not os.environ.get('FRAGMEND_FULL'):
        test_one_wiped_device = test_single_fragments = None
        test_damage_at_rest_is_found_while_it_is_served = None


class Reverts(ServedByFragmend):
    """Fragments that lie on devices which the ring does not give them: Swift brings them home."""

    @case.fragmend_only('there is no server of ours then')
    def test_fragments_come_home(self):
        moved = 0
        for device, handoff in (('d1', 'd12'), ('d5', 'd2')):
            source = os.path.join(self.lab.device_path(device), 'objects-1')
            target = os.path.join(self.lab.device_path(handoff), 'objects-1')
            for partition in sorted(os.listdir(source)):
                if partition.isdigit() and not os.path.exists(os.path.join(target, partition)):
                    os.makedirs(target, exist_ok=True)
                    shutil.move(os.path.join(source, partition), os.path.join(target, partition))
                    moved += 1
        self.assertGreater(moved, 0)
        self.passes_until_as_before(by_swift=True)

    test_one_wiped_device = test_two_wiped_devices = test_single_fragments = None
    test_damage_at_rest_is_found_while_it_is_served = None


class BesideClients(case.InteropCase):
    """Fragmend owns the replication ports; proxy and object servers are Swift's, and busy."""

    options = {'servers': 3, 'devices': 9, 'part_power': 3, 'segment_bytes': 65536, 'proxy': True,
               'replication_server': OURS}
    restores = False
    ROUNDS = 20 if os.environ.get('FRAGMEND_FULL') else 2
    CLIENTS = 8 if os.environ.get('FRAGMEND_FULL') else 3

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.sized(policy, [*range(100, 1100, 100), 0, 65537, 400000]))

    @case.fragmend_only('there is no server of ours then')
    def test_nothing_is_lost_and_nobody_gets_an_error(self):
        self.lab.make_container('AUTH_lab', 'busy', self.policy.index)
        self.spread_samples()
        stop, errors, kept = threading.Event(), [], [{} for _ in range(self.CLIENTS)]
        clients = [threading.Thread(target=self.client, args=(number, stop, errors, kept[number]))
                   for number in range(self.CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(self.ROUNDS):
                self.lab.wipe(f'd{number % 9 + 1}')
                self.rebuild_what_was_wiped(by_swift=number % 2 == 1)
        finally:
            stop.set()
            for client in clients:
                client.join()
        self.assertEqual([], errors[:10])
        for _ in range(self.passes_max):
            program.run_pass(self.lab)
        count, complaints = self.lab.read_all()
        self.assertEqual([], complaints)
        with proxy_client.connection(self.lab) as link:
            for objects_kept in kept:
                for name, body in objects_kept.items():
                    status, _headers, found = proxy_client.request(link, 'GET', self.path(name))
                    self.assertEqual((status, found), (200, body) if body is not None
                                     else (404, found), name)
        print(count, 'objects at rest,', sum(len(one) for one in kept), 'of clients')
        self.assertGreater(sum(len(one) for one in kept), 10)
        for node in self.lab.layout.nodes:
            quarantined, result = self.lab.audit(node.number)
            self.assertEqual(0, quarantined, result.output[-2000:])
        self.update_containers()
        self.assert_dispersed(kept)
        self.assert_reported_complete()

    def rebuild_what_was_wiped(self, by_swift):
        """Passes until no work remains, of which Swift does not tell; all is judged at the end."""
        for _ in range(2 if by_swift else self.passes_max):
            made = program.run_pass(self.lab, program_is_swift=by_swift)
            if not by_swift and set(made.exit_codes.values()) == {program.DONE}:
                return

    def update_containers(self):
        for _ in range(TRIES_MAX):
            for node in self.lab.layout.nodes:
                result = self.lab.run(['/usr/bin/swift-object-updater', node.conf, 'once', '-v'])
                self.assertEqual(0, result.exit_code, result.output[-2000:])
            if not self.waiting():
                return

    def waiting(self):
        """Container updates that are still to be made."""
        return [name for device in self.before
                for folder, _folders, files in os.walk(self.lab.device_path(device))
                if '/async_pending' in folder for name in files]

    def spread_samples(self):
        """What swift-dispersion-populate leaves behind: objects in all partitions, if it is lucky."""
        self.lab.make_container('AUTH_lab', self.samples(), self.policy.index)
        with proxy_client.connection(self.lab) as link:
            for number in range(40):
                status, _headers, _body = proxy_client.request(
                    link, 'PUT', proxy_client.path_of('AUTH_lab', self.samples(),
                                                      f'dispersion_{number}'), b'')
                self.assertEqual(201, status)

    def samples(self):
        return f'dispersion_objects_{self.policy.index}'

    def assert_reported_complete(self):
        """By Swift's own report: each sample answers in each of its places."""
        address = ':'.join(str(part) for part in layout.PROXY_ADDRESS)
        for _ in range(TRIES_MAX):
            result = self.lab.run(['/usr/bin/python3', '-W', 'ignore', DISPERSION,
                                   f'http://{address}/v1/AUTH_lab', str(self.policy.index)])
            self.assertEqual(0, result.exit_code, result.output[-2000:])
            found = json.loads(result.output.strip().splitlines()[-1])['object']
            self.assertGreater(found['copies_expected'], 0)
            if (found['pct_found'], found['retries']) == (100, 0):
                break
        self.assertEqual((found['pct_found'], found['retries']), (100, 0), found)

    def assert_dispersed(self, kept):
        """No update waits, and each object has a fragment of its newest version everywhere."""
        fragments = {}
        for device in self.before:
            for folder, _folders, files in os.walk(self.lab.device_path(device)):
                for name in files if folder.count('/objects-1/') else ():
                    found = re.fullmatch(r'(.+)#(\d+)#d\.data', name)
                    if found:
                        fragments.setdefault(os.path.basename(folder), set()).add(found.groups())
        self.assertEqual([], self.waiting())
        for object_hash, found in fragments.items():
            newest = max(at for at, _index in found)
            self.assertEqual({str(index) for index in range(self.policy.k + self.policy.m)},
                             {index for at, index in found if at == newest}, object_hash)
        there = sum(body is not None for one in kept for body in one.values())
        self.assertGreaterEqual(len(fragments), there)
        with proxy_client.connection(self.lab) as link:
            status, _headers, listing = proxy_client.request(
                link, 'GET', proxy_client.path_of('AUTH_lab', 'busy') + '?limit=10000')
        self.assertEqual((status, sorted(listing.decode().split())),
                         (200, sorted(name for one in kept for name, body in one.items()
                                      if body is not None)))

    @staticmethod
    def path(name):
        return proxy_client.path_of('AUTH_lab', 'busy', name)

    def client(self, number, stop, errors, kept):
        """A client whose own end is an error, too."""
        try:
            self.use_objects(number, stop, errors, kept)
        except Exception as error:  # Nobody else sees what ends a thread.
            errors.append((number, repr(error)))

    def use_objects(self, number, stop, errors, kept):
        """Puts, posts, gets and deletes objects of its own, and remembers what must be there."""
        dice = random.Random(number)
        with proxy_client.connection(self.lab) as link:
            for step in range(100000):
                if stop.is_set():
                    return
                name = f'{number}-{dice.randrange(12)}'
                method = dice.choice(['PUT', 'PUT', 'GET', 'POST', 'DELETE'])
                body = bytes([step % 256]) * dice.choice([10, 3000, 70000])
                status, _headers, found = proxy_client.request(
                    link, method, self.path(name), body if method == 'PUT' else None,
                    {'X-Object-Meta-Step': step})
                there = kept.get(name) is not None
                if status >= 500 or (method == 'GET' and there and found != kept[name]):
                    errors.append((method, name, status, found[:200]))
                if method == 'PUT' and status == 201:
                    kept[name] = body
                if method == 'DELETE' and status in (204, 404):
                    kept[name] = None


if __name__ == '__main__':
    case.main()
