#!/usr/bin/python3
"""The flat XOR codes: what can be solved is right, what cannot is not written.

Swift hands liberasurecode exactly k fragments, from which many a loss cannot be solved; the library
then says it succeeded, with wrong bytes. The original is the only judge here.
"""

import os
import random
import unittest

from pyeclib.ec_iface import ECDriver

from support import case, disks, objects, program
from swiftlab.spec import PolicySpec

FULL = os.environ.get('FRAGMEND_LAB_FULL') == '1'
SEED = int(os.environ.get('FRAGMEND_SEED', '1'))
CODES = [('flat_xor_hd_3', 10, 5, 3), ('flat_xor_hd_3', 6, 6, 3), ('flat_xor_hd_3', 3, 3, 3),
         ('flat_xor_hd_4', 10, 5, 4), ('flat_xor_hd_4', 12, 6, 4), ('flat_xor_hd_3', 5, 5, 3)]
if FULL:
    CODES += [('flat_xor_hd_3', 15, 6, 3), ('flat_xor_hd_4', 20, 6, 4), ('flat_xor_hd_4', 5, 5, 4)]
WRONG_BYTES = "liberasurecode's flat XOR makes wrong bytes from k fragments"


def policies():
    return [PolicySpec(index=0, name='replicated', default=True)] + [
        PolicySpec(number, f'p{number}', ec_type, k, m, segment_bytes=24576)
        for number, (ec_type, k, m, _distance) in enumerate(CODES, 1)]


def generator_rows(policy):
    """For each fragment index the data blocks whose XOR it is, as a bit mask.

    Found out by encoding segments of which a single block is not zero.
    """
    driver = ECDriver(k=policy.k, m=policy.m, ec_type=policy.ec_type)
    rows = [0] * (policy.k + policy.m)
    for block in range(policy.k):
        segment = bytes(4 * block) + b'\xff' * 4 + bytes(4 * (policy.k - block - 1))
        for index, fragment in enumerate(driver.encode(segment)):
            if any(fragment[80:]):
                rows[index] |= 1 << block
    return rows


def solvable(rows, lost):
    """Which lost indexes are sums of the others."""
    basis = {}

    def reduce(row):
        while row and row.bit_length() in basis:
            row ^= basis[row.bit_length()]
        return row
    for index, row in enumerate(rows):
        if index not in lost:
            left = reduce(row)
            if left:
                basis[left.bit_length()] = left
    return {index for index in lost if reduce(rows[index]) == 0}


def comes_back(rows, lost):
    """Which lost indexes are solvable and have a partner that could send them, at the end.

    A fragment is rebuilt by its neighbours in the ring and the one half a ring before it.
    """
    count = len(rows)
    fine, back = solvable(rows, lost), set()
    while True:
        present = set(range(count)) - lost | back
        more = {index for index in fine - back
                if present & {(index + 1) % count, (index - 1) % count,
                              (index - count // 2) % count}}
        if not more:
            return back
        back |= more


class FlatXor(case.InteropCase):
    """All flat XOR codes at once; each in a policy of its own."""

    options = {'servers': 4, 'devices': 26 if FULL else 18, 'part_power': 1,
               'policies': policies()}
    # What was lost may come back one by one, each time at another partner.
    passes_max = 6

    @classmethod
    def fill(cls):
        histories = []
        for policy in cls.lab.spec.policies[1:]:
            histories += objects.sized(policy, objects.boundary_sizes(policy))
        cls.lab.write(histories)

    @case.beyond_swift(WRONG_BYTES)
    def test_wiped_device(self):
        self.lab.wipe('d5')
        self.rebuild()

    @case.beyond_swift(WRONG_BYTES)
    def test_as_many_losses_as_the_distance_guarantees(self):
        self._lose(lambda distance: distance - 1)
        self.rebuild()

    @case.beyond_swift(WRONG_BYTES)
    def test_losses_beyond_the_guarantee_are_solved_or_left_alone(self):
        expected = {device: dict(manifest) for device, manifest in self.before.items()}
        unsolvable = 0
        for policy, lost in self._lose(lambda distance: distance + 1):
            fine = comes_back(generator_rows(policy), {fragment.index for fragment in lost})
            for fragment in lost:
                if fragment.index not in fine:
                    unsolvable += 1
                    del expected[fragment.device][fragment.path]
        self.assertGreater(unsolvable, 0)
        self.rebuild(expected, exit_codes=(program.DONE, program.UNRECOVERABLE))

    def _lose(self, count_for):
        """Loses fragments of every object; returns [(policy, lost fragments)]."""
        print(f'FRAGMEND_SEED={SEED}', flush=True)
        dice = random.Random(SEED)
        by_data_dir = {f'objects{policy.suffix}': (policy, code[3]) for policy, code
                       in zip(self.lab.spec.policies[1:], CODES)}
        lost = []
        for (data_dir, _hash), fragments in disks.fragments_by_object(self.before).items():
            if not self.before[fragments[0].device][fragments[0].path]['bytes']:
                continue  # Nothing to solve.
            policy, distance = by_data_dir[data_dir]
            lost.append((policy, dice.sample(fragments, count_for(distance))))
            for fragment in lost[-1][1]:
                disks.lose(self.lab, fragment)
        return lost


class GeneratorRows(unittest.TestCase):
    """The judge of the tests above, judged."""

    def test_tells_what_a_sum_can_give(self):
        rows = [0b01, 0b10, 0b11]
        self.assertEqual({0}, solvable(rows, {0}))
        self.assertEqual(set(), solvable(rows, {0, 1}))
        self.assertEqual({2}, solvable(rows, {2}))

    def test_fragment_without_partners_stays_away(self):
        rows = [0b0001, 0b0010, 0b0001, 0b0100, 0b0001, 0b1000]
        self.assertEqual({0}, solvable(rows, {0, 1, 3, 5}))
        self.assertEqual(set(), comes_back(rows, {0, 1, 3, 5}))
        self.assertEqual({0}, comes_back(rows, {0, 1, 3}))

    def test_every_loss_below_the_distance_is_solvable(self):
        for policy, (_type, k, m, distance) in zip(policies()[1:], CODES):
            rows = generator_rows(policy)
            dice = random.Random(k)
            for _ in range(50):
                lost = set(dice.sample(range(k + m), distance - 1))
                self.assertEqual(lost, solvable(rows, lost))


if __name__ == '__main__':
    case.main()
