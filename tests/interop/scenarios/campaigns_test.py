#!/usr/bin/python3
"""Long stories: nothing is lost, and all comes home, whoever runs where and whoever dies when.

Counts by environment: FRAGMEND_ROUNDS_OPPOSED (200), FRAGMEND_ROUNDS_MIXED (50) and FRAGMEND_KILLS
(500) are those of a whole campaign; without them each is short. FRAGMEND_SEED repeats one.
"""

import os
import random
import re
import shutil
import sys
import time
import unittest

import stage
from support import case, disks, objects, program

from lab import Lab, compare

FRAGMENT = re.compile(r'objects-1/\d+/[0-9a-f]{3}/(?P<hash>[0-9a-f]{32})/'
                      r'(?P<time>[^/#]+)#(?P<index>\d+)(?:#d)?\.data$')
PASSES_MAX = 8
SWIFT = '/usr/bin/swift-object-reconstructor'


def count(name, otherwise):
    return int(os.environ.get(name, otherwise))


class Campaign(unittest.TestCase):
    """A lab and the fragments that must never be lost."""

    options = {}
    objects = 24

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(tmpfs=disks.tmpfs_holds_xattrs(), **cls.options).up(start=False)
        cls.addClassCleanup(cls.lab.down)
        stage.deal_rings(cls.lab)
        cls.lab.start_all()
        cls.seed = int(os.environ.get('FRAGMEND_SEED', random.randrange(1 << 32)))
        print(f'FRAGMEND_SEED={cls.seed}', file=sys.stderr)
        cls.dice = random.Random(cls.seed)
        sizes = [0, 1, 1000, 70_000, 300_000, 5_000_000]
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [sizes[number % len(sizes)] + number // 6
                                                            for number in range(cls.objects)]))
        cls.whole = cls.fragments(cls.lab)

    @staticmethod
    def fragments(lab):
        """{(hash, time, index): {sha256 of the bytes}} of every fragment anywhere."""
        found = {}
        for device in lab.layout.device_names:
            for path, entry in lab.snapshot(device).items():
                match = FRAGMENT.match(path)
                if match:
                    found.setdefault((match['hash'], match['time'], int(match['index'])),
                                     set()).add((entry['sha256'], str(sorted(
                                         (entry['metadata'] or {}).items()))))
        return found

    def assert_nothing_lost(self, when):
        now = self.fragments(self.lab)
        lost = sorted(set(self.whole) - set(now))
        self.assertEqual([], lost, f'lost {when}, seed {self.seed}')
        wrong = [key for key, contents in self.whole.items()
                 if {sha for sha, _meta in now[key]} != {sha for sha, _meta in contents}]
        self.assertEqual([], wrong, f'other bytes {when}, seed {self.seed}')

    def conf(self, node, options=None):
        return self.lab._reconstructor_conf(node, options)

    def scatter(self, share):
        """Moves some objects' folders from where they are to another device."""
        for device in self.lab.layout.device_names:
            for path in self.lab.object_files(device):
                if self.dice.random() >= share:
                    continue
                target = self.dice.choice(self.lab.layout.device_names)
                source = os.path.join(self.lab.device_path(device), os.path.dirname(path))
                folder = os.path.join(self.lab.device_path(target), os.path.dirname(path))
                # Two files of one folder: it may have been moved with the first one.
                if target == device or os.path.exists(folder) or not os.path.exists(source):
                    continue
                os.makedirs(os.path.dirname(folder), exist_ok=True)
                shutil.move(source, folder)
                for where in (device, target):
                    disks.forget_hashes(self.lab, where, path)


class OpposedRings(Campaign):
    """Two nodes, each sure that everything belongs to the other."""

    options = {'servers': 2, 'devices': 6, 'part_power': 3, 'ec_type': 'isa_l_rs_vand', 'k': 2,
               'm': 1, 'segment_bytes': 65536, 'mount_check': True,
               'object_conf': {'app:object-server': {'replication_lock_timeout': 2}}}

    def ring_of(self, node):
        """A folder with rings in which the node's devices are the only primaries."""
        from swift.common.ring import RingData
        name = f'all-at-{node}'
        os.makedirs(self.lab.layout.path('etc', name), exist_ok=True)
        ring = RingData.load(self.lab.layout.path('etc', 'object-1.ring.gz'))
        mine = [device['id'] for device in ring.devs
                if self.lab.layout.node_of(device['device']).number == node]
        for partition in range(1 << self.lab.spec.part_power):
            row = self.dice.sample(mine, 3)
            for replica, device in zip(ring._replica2part2dev_id, row):
                replica[partition] = device
        ring.save(self.lab.layout.path('etc', name, 'object-1.ring.gz'))
        return f'/etc/swift/{name}'

    def test_nothing_is_lost_between_them(self):
        confs = {1: self.conf(1, {'swift_dir': self.ring_of(2)}),
                 2: self.conf(2, {'swift_dir': self.ring_of(1)})}
        shares = set()
        for number in range(count('FRAGMEND_ROUNDS_OPPOSED', 6)):
            order = self.dice.sample([1, 2], 2)
            pause = self.dice.choice([0, 0, 0.02, 0.1, 0.3])
            runs = [self.lab.popen(['sh', '-c', f'sleep {pause * late}; exec "$@"', 'sh',
                                    *program.command(), confs[node], '--once'])
                    for late, node in enumerate(order)]
            codes = [run.wait(120).exit_code for run in runs]
            self.assertTrue(set(codes) <= {0, 3}, codes)
            self.assert_nothing_lost(f'in round {number}')
            shares.add(len(self.lab.object_files('d1')))
        # Otherwise both only locked each other out.
        self.assertGreater(len(shares), 1, shares)


class Killed(Campaign):
    """SIGKILL at any moment of passes that revert."""

    options = {'servers': 3, 'devices': 9, 'part_power': 4, 'ec_type': 'isa_l_rs_cauchy', 'k': 4,
               'm': 2, 'segment_bytes': 65536, 'mount_check': True}

    # So often the work that was left is finished and the disks are compared as a whole.
    KILLS_BEFORE_A_LOOK = 25

    def length_of_a_pass_s(self):
        """How long a pass takes that has something to revert, at the slowest of the servers."""
        self.scatter(0.4)
        lengths = []
        for node in (1, 2, 3):
            began = time.monotonic()
            run = self.lab.popen([*program.command(), self.conf(node), '--once'])
            self.assertIn(run.wait(60).exit_code, (0, 3, 5))
            lengths.append(time.monotonic() - began)
        return max(lengths)

    def killed_pass(self, limit_s):
        """Whether a pass at some server was killed within that time; else it ended before."""
        node = self.dice.choice([1, 2, 3])
        run = self.lab.popen(['timeout', '-s', 'KILL', f'{self.dice.uniform(0.001, limit_s):.4f}',
                              *program.command(), self.conf(node), '--once'])
        code = run.wait(60).exit_code
        self.assertIn(code, (0, 3, 5, -9, 137))
        return code in (-9, 137)

    def assert_the_next_passes_finish(self, before, when):
        for _ in range(PASSES_MAX):
            made = program.run_pass(self.lab)
            lines = [f'{device}: {line}' for device, manifest in before.items()
                     for line in compare(manifest, self.lab.snapshot(device))]
            if not lines:
                return
        self.assertEqual([], lines[:10], f'{when}, seed {self.seed}\n{made.tail()}')

    def test_nothing_is_lost_and_the_next_pass_goes_on(self):
        before = disks.manifests(self.lab)
        limit_s = self.length_of_a_pass_s()
        wanted = count('FRAGMEND_KILLS', 12)
        killed = passes = 0
        while killed < wanted:
            if passes % 4 == 0:
                self.scatter(0.4)
                self.assert_nothing_lost('by the test itself')
            passes += 1
            if not self.killed_pass(limit_s):
                continue
            killed += 1
            self.assert_nothing_lost(f'by kill {killed}')
            if killed % self.KILLS_BEFORE_A_LOOK == 0 or killed == wanted:
                self.assert_the_next_passes_finish(before, f'after kill {killed}')
        print(f'{killed} of {passes} passes of up to {limit_s:.2f} s were killed', file=sys.stderr)


class Mixed(Campaign):
    """Half of the servers run Swift's reconstructor, the other half Fragmend."""

    options = {'servers': 4, 'devices': 12, 'part_power': 3, 'ec_type': 'isa_l_rs_cauchy', 'k': 4,
               'm': 2, 'segment_bytes': 65536, 'mount_check': True}

    def one_pass(self):
        swift = self.dice.sample([1, 2, 3, 4], 2)
        runs = [self.lab.popen([SWIFT, self.conf(node), 'once'] if node in swift else
                               [*program.command(), self.conf(node), '--once'])
                for node in range(1, 5)]
        for run in runs:
            self.assertIn(run.wait(240).exit_code, (0, 3, 5))

    def test_all_comes_home_after_any_damage(self):
        before = disks.manifests(self.lab)
        for number in range(count('FRAGMEND_ROUNDS_MIXED', 2)):
            what = self.dice.choice(['scatter', 'wipe', 'both', 'rot'])
            if what in ('scatter', 'both'):
                self.scatter(0.3)
            if what in ('wipe', 'both'):
                self.lab.wipe(self.dice.choice(self.lab.layout.device_names))
            if what == 'rot':
                device = self.dice.choice(self.lab.layout.device_names)
                rotten = [path for path in self.lab.object_files(device)
                          if os.path.getsize(os.path.join(self.lab.device_path(device), path))][:3]
                for path in rotten:
                    os.truncate(os.path.join(self.lab.device_path(device), path), 50)
                    disks.forget_hashes(self.lab, device, path)
                # No reconstructor reads a fragment that nobody misses: finding it is the auditor's.
                found, _result = self.lab.audit(self.lab.layout.node_of(device).number)
                self.assertEqual(len(rotten), found, f'round {number}, seed {self.seed}')
            for _ in range(PASSES_MAX):
                self.one_pass()
                lines = [f'{device}: {line}' for device, manifest in before.items()
                         for line in compare(manifest, self.lab.snapshot(device),
                                                  garbled_text_ok=True)]
                if not lines:
                    break
            self.assertEqual([], lines[:10], f'round {number} ({what}), seed {self.seed}')


del Campaign  # Only its children have tests.

if __name__ == '__main__':
    sys.exit(case.main())
