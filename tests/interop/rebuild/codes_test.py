#!/usr/bin/python3
"""Every MDS code of the installed liberasurecode: rebuilt archives equal the lost ones.

One lab holds a policy a code, so that one wiped device or one round of losses tries all of them.
FRAGMEND_LAB_FULL=1 takes Swift's usual segment size, more sizes and objects of 64 MiB.
"""

import os
import random

from support import case, disks, objects
from swiftlab.spec import PolicySpec

FULL = os.environ.get('FRAGMEND_LAB_FULL') == '1'
SEED = int(os.environ.get('FRAGMEND_SEED', '1'))
EC_TYPES = ('liberasurecode_rs_vand', 'jerasure_rs_vand', 'jerasure_rs_cauchy', 'isa_l_rs_vand',
            'isa_l_rs_cauchy')
SHAPES = ((4, 2), (8, 4), (10, 4))
SEGMENT_BYTES = objects.MIB if FULL else 24576


def policies():
    """Policy 0 as Swift needs it, then every code in every shape, then one with duplicates."""
    made = [PolicySpec(index=0, name='replicated', default=True)]
    for ec_type in EC_TYPES:
        for k, m in SHAPES:
            made.append(PolicySpec(len(made), f'p{len(made)}', ec_type, k, m,
                                   segment_bytes=SEGMENT_BYTES))
    for duplication, segment_bytes in ((2, SEGMENT_BYTES), (1, objects.MIB)):
        made.append(PolicySpec(len(made), f'p{len(made)}', 'isa_l_rs_cauchy', 4, 2, duplication,
                               segment_bytes))
    return made


def lost_patterns(fragments, m, dice):
    """Which m fragments of an object to lose: any, so that all indexes and mixes occur."""
    return dice.sample(fragments, m)


class MdsCodes(case.InteropCase):
    """All codes at once over fourteen devices."""

    options = {'servers': 4, 'devices': 14, 'part_power': 1, 'policies': policies()}

    @classmethod
    def fill(cls):
        histories = []
        for policy in cls.ec_policies():
            histories += objects.sized(policy, cls.sizes(policy))
        cls.lab.write(histories)

    @classmethod
    def ec_policies(cls):
        return [policy for policy in cls.lab.spec.policies if policy.ec_type]

    @classmethod
    def sizes(cls, policy):
        if policy.segment_bytes == objects.MIB and not FULL:
            return objects.boundary_sizes(policy, thorough=False) + [objects.MIB * 7 // 2]
        sizes = objects.boundary_sizes(policy, thorough=FULL or policy.k == 4)
        if FULL:
            sizes += [objects.MIB * 7 // 2]
            if policy.ec_type in ('isa_l_rs_cauchy', 'jerasure_rs_cauchy'):
                sizes += [64 * objects.MIB]
        return sizes

    def test_wiped_device(self):
        self.lab.wipe('d5')
        self.rebuild()

    def test_as_many_losses_as_parities(self):
        dice = random.Random(SEED)
        parities = {f'objects{policy.suffix}': policy.m for policy in self.ec_policies()}
        for (data_dir, _hash), fragments in disks.fragments_by_object(self.before).items():
            for fragment in lost_patterns(fragments, parities[data_dir], dice):
                disks.lose(self.lab, fragment)
        print(f'FRAGMEND_SEED={SEED}', flush=True)
        self.rebuild()


if __name__ == '__main__':
    case.main()
