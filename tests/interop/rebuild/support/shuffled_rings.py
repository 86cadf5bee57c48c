"""Rings whose partitions order their devices differently.

Swift's builder gives every partition the same order when a ring has as many devices as replicas.
A device would then hold one fragment index only, and have the same partners everywhere.
"""

import random


def shuffle(lab, seed=1):
    """Shuffles the devices of each partition of all EC rings; to be done before servers start."""
    from swift.common.ring import RingData
    dice = random.Random(seed)
    for policy in lab.spec.policies:
        if not policy.ec_type:
            continue
        path = lab.layout.path('etc', f'object{policy.suffix}.ring.gz')
        ring = RingData.load(path)
        rows = ring._replica2part2dev_id
        for partition in range(1 << lab.spec.part_power):
            column = [row[partition] for row in rows]
            dice.shuffle(column)
            for row, device in zip(rows, column):
                row[partition] = device
        ring.save(path)


def devices_of(lab, partition, policy=None):
    """The names of a partition's devices, by position in the ring."""
    from swift.common.ring import RingData
    policy = policy or lab.spec.policy()
    ring = RingData.load(lab.layout.path('etc', f'object{policy.suffix}.ring.gz'))
    return [ring.devs[row[partition]]['device'] for row in ring._replica2part2dev_id]
