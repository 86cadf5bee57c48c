"""Writes random rings with the real Swift, and what the real Ring says about each.

usage: ring_oracle.py DIRECTORY SEED COUNT
"""
import array
import gzip
import json
import math
import os
import random
import struct
import sys

try:
    from swift.common import utils
    utils.HASH_PATH_SUFFIX = b'suffix'
    from swift.common.ring import Ring, RingBuilder, RingData
except ImportError:
    sys.exit(77)

from ring_v0_writer import (python2_dict, python2_instance, python3_dict, python3_instance,
                            write_ring_v0)
from ring_v2_writer import write_ring_v2


def random_device(rng, index, shape):
    device = {
        'id': index,
        'region': rng.randint(1, shape['regions']),
        'zone': rng.randint(1, shape['zones']),
        'ip': '10.0.%d.%d' % (rng.randint(0, 1), rng.randint(1, shape['servers'])),
        'port': rng.choice(shape['ports']),
        'device': 'd%d' % index,
        'weight': rng.choice([0, 1.0, 100.0, 2.5, 1000]),
        'meta': '',
    }
    if rng.random() < 0.7:
        device['replication_ip'] = '10.1.0.%d' % rng.randint(1, 9)
        device['replication_port'] = 6300 + rng.randint(0, 3)
    return device


def random_shape(rng):
    return {'regions': rng.choice([1, 1, 2, 3]), 'zones': rng.choice([1, 2, 4]),
            'servers': rng.choice([1, 2, 5, 9]),
            'ports': [6200] + [6201, 6202] * rng.randint(0, 1)}


def built_ring(rng):
    """A ring of the real builder, with holes where devices were removed."""
    builder = RingBuilder(rng.randint(1, 9), rng.choice([1, 2, 3, 3.25, 6, 2.6]), 0)
    shape = random_shape(rng)
    for index in range(rng.randint(8, 24)):
        device = random_device(rng, index, shape)
        device['weight'] = 0 if rng.random() < 0.1 else rng.choice([1.0, 100.0, 33.3])
        device.setdefault('replication_ip', device['ip'])
        device.setdefault('replication_port', device['port'])
        builder.add_dev(device)
    builder.rebalance(seed=rng.randint(0, 1 << 30))
    if rng.random() < 0.6:
        alive = [d['id'] for d in builder.devs if d]
        # What stays must hold every replica on a device of its own, with weight.
        weighted = [d['id'] for d in builder.devs if d and d['weight'] > 0]
        spare = max(0, len(weighted) - math.ceil(builder.replicas))
        for index in rng.sample(alive, min(spare, rng.randint(1, max(1, len(alive) // 3)))):
            builder.remove_dev(index)
        builder.pretend_min_part_hours_passed()
        builder.rebalance(seed=rng.randint(0, 1 << 30))
    return builder.get_ring()


def drawn_ring(rng, part_power):
    """Rows of random ids: duplicates in a partition, devices without any, holes."""
    shape = random_shape(rng)
    count = rng.randint(1, 20)
    devices = [random_device(rng, index, shape) for index in range(count)]
    for device in devices:
        if rng.random() < 0.2:
            del device['region']
    alive = [d['id'] for d in devices if rng.random() < 0.85] or [0]
    devices = [d if d['id'] in alive else None for d in devices]
    used = rng.sample(alive, rng.randint(1, len(alive)))
    parts = 1 << part_power
    rows = [array.array('H', [rng.choice(used) for _ in range(parts)])
            for _ in range(rng.randint(1, 6))]
    if len(rows) > 1 and parts > 1 and rng.random() < 0.4:
        rows[-1] = rows[-1][:rng.randint(1, parts - 1)]
    return RingData(rows, devices, 32 - part_power,
                    next_part_power=rng.choice([None, None, part_power + 1]),
                    version=rng.choice([None, 7]))


def write_big_endian(path, data):
    """Version 1 as a big-endian machine writes it."""
    rows = [array.array('H', row) for row in data._replica2part2dev_id]
    text = json.dumps({'devs': data.devs, 'part_shift': data._part_shift, 'byteorder': 'big',
                       'replica_count': len(rows)}).encode('ascii')
    with gzip.open(path, 'wb') as out:
        out.write(struct.pack('!4sHI', b'R1NG', 1, len(text)) + text)
        for row in rows:
            if sys.byteorder == 'little':
                row.byteswap()
            out.write(row.tobytes())


def write_pickled(base, data, ring, protocol):
    """Version 0 in forms that the real Swift, too, reads as the same ring."""
    forms = {'.v0py2': python2_dict(data), '.v0py2object': python2_instance(data),
             '.v0dict%d' % protocol: python3_dict(data, protocol),
             '.v0object%d' % protocol: python3_instance(data, protocol)}
    for suffix, pickled in forms.items():
        write_ring_v0(base + suffix, pickled)
        loaded = RingData.load(base + suffix)
        assert loaded._replica2part2dev_id == ring._replica2part2dev_id, suffix
        assert loaded._part_shift == ring._part_shift, suffix


def expectation(rng, ring, partitions):
    def ids(nodes):
        return [node['id'] for node in nodes]
    hashes = ['%032x' % rng.getrandbits(128) for _ in range(20)]
    devices = [d and {'id': d['id'], 'region': d['region'], 'zone': d['zone'], 'ip': d['ip'],
                      'port': d['port'], 'replication_ip': d['replication_ip'],
                      'replication_port': d['replication_port'], 'device': d['device'],
                      'weight': float(d['weight'])} for d in ring.devs]
    return {
        'devices': devices,
        'replica_count': float(ring.replica_count),
        'partition_count': ring.partition_count,
        'next_part_power': ring.next_part_power,
        'version': ring.version,
        'hashes': {h: struct.unpack('>I', bytes.fromhex(h)[:4])[0] >> ring._part_shift
                   for h in hashes},
        'partitions': [{'partition': part, 'primaries': ids(ring.get_part_nodes(part)),
                        'handoffs': ids(ring.get_more_nodes(part))} for part in partitions],
    }


def main(directory, seed, count):
    rng = random.Random(seed)
    for number in range(count):
        large = number % 30 == 29  # The walk looks at every other partition or at fewer.
        if large:
            data = drawn_ring(rng, 17)
        elif number % 2:
            data = drawn_ring(rng, rng.randint(0, 8))
        else:
            data = built_ring(rng)
        base = os.path.join(directory, 'ring-%03d' % number)
        data.save(base + '.v1')
        ring = Ring(base + '.v1')
        partitions = list(range(ring.partition_count))
        if large:
            partitions = [0, 1, len(partitions) - 1] + rng.sample(partitions, 4)
        partitions.append(ring.partition_count)  # one that does not exist
        if not large:
            v2 = {'devs': data.devs, 'part_shift': data._part_shift, 'version': data.version,
                  'next_part_power': data.next_part_power,
                  'replica_count': float(ring.replica_count), 'rows': data._replica2part2dev_id}
            write_ring_v2(base + '.v2', v2, 2, rng.choice(['md5', 'sha1', 'sha256', 'sha512']))
            write_ring_v2(base + '.v2wide', v2, 4)
            write_big_endian(base + '.big', data)
            write_pickled(base, data, ring, number // 2 % 5)
        with open(base + '.json', 'w') as out:
            json.dump(expectation(rng, ring, partitions), out)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
