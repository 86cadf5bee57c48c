#!/usr/bin/python3
"""Rings in motion: a rebalance, a device that leaves, a change in the middle of a pass, a part
power that is about to grow."""

import os
import random
import sys
import unittest

import stage
from support import case, disks, objects, program

from lab import Lab, PolicySpec

sys.path.insert(0, os.path.join(os.path.dirname(stage.HERE), 'daemon'))
from daemons import wait_until  # noqa: E402

PASSES_MAX = 6
WAIT_S = 30


class Rings(unittest.TestCase):
    """Two EC policies, so that what happens to one can be seen not to happen to the other."""

    OPTIONS = {'servers': 4, 'devices': 12, 'part_power': 7, 'mount_check': True, 'policies': [
        PolicySpec(index=0, name='replicated'),
        PolicySpec(index=1, name='ec', ec_type='isa_l_rs_cauchy', k=4, m=2, segment_bytes=65536,
                   default=True),
        PolicySpec(index=2, name='other', ec_type='isa_l_rs_vand', k=2, m=1, segment_bytes=65536)]}

    def setUp(self):
        self.lab = Lab(tmpfs=disks.tmpfs_holds_xattrs(), **self.OPTIONS).up(start=False)
        self.addCleanup(self.lab.down)
        stage.deal_rings(self.lab)
        self.lab.start_all()
        self.policies = {policy.index: policy for policy in self.lab.spec.policies}

    def fill(self, count, *indexes):
        for index in indexes:
            self.lab.write(objects.sized(self.policies[index], range(1, count + 1),
                                         container=f'policy-{index}'))

    def load(self, index):
        from swift.common.ring import RingData
        path = self.lab.layout.path('etc', f'object{self.policies[index].suffix}.ring.gz')
        return RingData.load(path), path

    def deal_again(self, index, seed, without=()):
        """A rebalance that moves nearly everything; `without` lists device names that leave."""
        ring, path = self.load(index)
        dice = random.Random(seed)
        ids = [device['id'] for device in ring.devs if device['device'] not in without]
        for partition in range(1 << self.lab.spec.part_power):
            row = dice.sample(ids, len(ring._replica2part2dev_id))
            for replica, device in zip(ring._replica2part2dev_id, row):
                replica[partition] = device
        ring.save(path)

    def misplaced(self, index):
        """Fragments that are not where the ring wants them, and places that lack theirs."""
        ring, _path = self.load(index)
        data_dir = 'objects' + self.policies[index].suffix
        taken = {device: manifest for device, manifest in disks.manifests(self.lab).items()}
        wrong = []
        for (where, made), found in disks.fragments_by_object(taken).items():
            if where != data_dir:
                continue
            partition = int(found[0].path.split('/')[1])
            wanted = sorted((ring.devs[row[partition]]['device'], number)
                            for number, row in enumerate(ring._replica2part2dev_id))
            holders = sorted((fragment.device, fragment.index) for fragment in found)
            if holders != wanted:
                wrong.append(f'{made}: {holders}, not {wanted}')
        return wrong

    def until_all_is_at_home(self, index):
        for _ in range(PASSES_MAX):
            made = program.run_pass(self.lab)
            wrong = self.misplaced(index)
            if not wrong:
                return made
        self.fail(f'{len(wrong)} objects are not at home:\n' + '\n'.join(wrong[:5]) + made.tail())

    def test_everything_follows_a_rebalance(self):
        self.fill(40, 1)
        self.deal_again(1, seed=5)
        self.assertGreater(len(self.misplaced(1)), 30)
        made = self.until_all_is_at_home(1)
        if not program.IS_SWIFT:
            self.assertEqual(0, made.total('handoffs_remaining'), made.tail())

    def test_a_device_that_left_the_ring_is_left_alone_and_rebuilt_elsewhere(self):
        self.fill(20, 1)
        before = self.lab.snapshot('d5')
        self.deal_again(1, seed=7, without=['d5'])
        # Its device is still in the list of devices, so Swift and we empty it.
        self.until_all_is_at_home(1)
        ring, path = self.load(1)
        ring.devs[4] = None
        ring.save(path)
        self.lab.wipe('d9')
        self.until_all_is_at_home(1)
        self.assertTrue(before)

    def test_next_part_power_stops_that_policy_alone(self):
        self.fill(12, 1, 2)
        before = disks.manifests(self.lab)
        ring, path = self.load(1)
        ring.next_part_power = self.lab.spec.part_power + 1
        ring.save(path)
        self.lab.wipe('d7')
        wanted = sorted(name for name in before['d7'] if name.startswith('objects-2/')
                        and name.endswith('.data'))
        for _ in range(PASSES_MAX):
            made = program.run_pass(self.lab)
            self.assertIn("next_part_power set in policy 'ec'. Skipping", made.log)
            now = self.lab.snapshot('d7')
            self.assertFalse([name for name in now if name.startswith('objects-1/')])
            there = sorted(name for name in now if name.endswith('.data'))
            if there == wanted:
                break
        self.assertEqual(wanted, there, made.tail())

    def is_asked(self):
        """Whether anybody has a connection to a replication port of the lab."""
        ports = {f'{node.replication_port:04X}' for node in self.lab.layout.nodes}
        with open(f'/proc/{self.lab.holder_pid}/net/tcp', encoding='ascii') as table:
            return any(words[2].rpartition(':')[2] in ports and words[3] == '01'
                       for words in map(str.split, table))

    @unittest.skipIf(program.IS_SWIFT, 'Swift notices a change within a pass by luck')
    def test_a_change_in_the_middle_of_a_pass_ends_it_for_that_policy(self):
        self.deal_again(1, seed=3)
        self.fill(150, 1)
        self.fill(10, 2)
        for number in (2, 3, 4):
            self.lab.freeze(number)
        run = self.lab.popen([*program.command(), self.lab._reconstructor_conf(
            1, {'ring_check_interval': 0.05}), '--once', '-v', '--json'])
        # More partitions than may be worked on at a time: the pass stands still in its first part.
        wait_until(self.is_asked, 'the pass to ask a frozen server')
        self.deal_again(1, seed=9)
        for number in (2, 3, 4):
            self.lab.thaw(number)
        result = run.wait(WAIT_S * 4)
        self.assertIn('Ring change detected for policy 1 (ec). Aborting current reconstruction '
                      'pass for this policy.', result.output)
        self.assertNotIn('Ring change detected for policy 2', result.output)
        self.assertEqual(program.WORK_REMAINS, result.exit_code)
        self.until_all_is_at_home(1)


if __name__ == '__main__':
    sys.exit(case.main())
