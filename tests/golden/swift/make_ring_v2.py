"""Writes ring_v2.ring.gz and ring_v2.json with a Swift of 2.36 or later on PYTHONPATH.

usage: make_ring_v2.py DIRECTORY
"""
import json
import os
import sys

from swift.common import utils
utils.HASH_PATH_SUFFIX = b'suffix'
from swift.common.ring import Ring, RingBuilder  # noqa: E402


def main(directory):
    builder = RingBuilder(6, 6, 0)
    for index in range(12):
        builder.add_dev({'id': index, 'region': 1 + index % 2, 'zone': index % 3,
                         'ip': '10.0.0.%d' % (index % 5), 'port': 6200 + index,
                         'replication_ip': '10.1.0.%d' % (index % 5),
                         'replication_port': 6300 + index, 'device': 'sd%d' % index,
                         'weight': 100.0, 'meta': ''})
    builder.rebalance(seed=1)
    builder.remove_dev(7)
    builder.pretend_min_part_hours_passed()
    builder.rebalance(seed=2)
    path = os.path.join(directory, 'ring_v2.ring.gz')
    builder.get_ring().save(path, format_version=2)
    ring = Ring(path)
    partitions = [{'partition': part,
                   'primaries': [node['id'] for node in ring.get_part_nodes(part)],
                   'handoffs': [node['id'] for node in ring.get_more_nodes(part)]}
                  for part in range(ring.partition_count)]
    with open(os.path.join(directory, 'ring_v2.json'), 'w') as out:
        json.dump(partitions, out)


if __name__ == '__main__':
    main(sys.argv[1])
