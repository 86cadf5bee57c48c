"""Random partitions, and the jobs that the real reconstructor makes of them.

usage: scan_oracle.py DIRECTORY SEED COUNT
"""
import array
import json
import os
import random
import sys
import time

try:
    from unittest import mock
    from swift.common import utils
    utils.HASH_PATH_SUFFIX = b'suffix'
    from swift.common.ring import Ring, RingData
    from swift.common import storage_policy
    from swift.common.storage_policy import ECStoragePolicy, StoragePolicy
    from swift.obj import reconstructor
except ImportError:
    sys.exit(77)

PARTITIONS = 8
PORT = 6200


class Quiet(object):
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def random_ring(rng, replicas, path):
    count = replicas + rng.randint(1, 5)
    devices = [{'id': i, 'region': 1, 'zone': i % 3, 'ip': '10.0.0.%d' % (i % 4 + 1), 'port': PORT,
                'replication_ip': '10.0.0.%d' % (i % 4 + 1), 'replication_port': PORT,
                'device': 'd%d' % i, 'weight': 1.0} for i in range(count)]
    devices[rng.randrange(count - 1)] = None
    alive = [d['id'] for d in devices if d]
    columns = [rng.sample(alive, replicas) if rng.random() < 0.8 or len(alive) < replicas else
               [rng.choice(alive) for _ in range(replicas)] for _ in range(PARTITIONS)]
    rows = [array.array('H', [column[row] for column in columns]) for row in range(replicas)]
    RingData(rows, devices, 29).save(path)
    return Ring(path)


def random_hashes(rng, last_index):
    hashes = {}
    for _ in range(rng.choice([0, 0, 1, 3, 8])):
        suffix_hash = {}
        if rng.random() < 0.6:
            suffix_hash[None] = rng.choice('abc') * 32
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            suffix_hash[rng.randint(0, last_index)] = rng.choice('def') * 32
        hashes['%03x' % rng.randrange(4096)] = suffix_hash
    return hashes


def as_json(hashes):
    return {suffix: {'' if key is None else str(key): value for key, value in suffix_hash.items()}
            for suffix, suffix_hash in hashes.items()}


def job_as_json(job):
    return {'type': job['job_type'], 'index': job['frag_index'],
            'suffixes': sorted(job['suffixes']),
            'to': [[node['id'], node['index']] for node in job['sync_to']],
            'primary': job['primary_frag_index']}


def jobs_case(rng, daemon, policy, ring):
    # With duplicates Swift fails on indexes that the code does not have; ours refuses them.
    beyond = 2 if policy.ec_duplication_factor == 1 else 0
    hashes = random_hashes(rng, policy.ec_n_unique_fragments - 1 + beyond)
    partition = rng.randrange(PARTITIONS)
    device = rng.choice([d for d in ring.devs if d])
    daemon._get_hashes = lambda *args, **kwargs: hashes
    try:
        jobs = [job_as_json(job) for job in
                daemon._get_part_jobs(device, '/srv/node/x', partition, policy)]
    except (IndexError, ValueError):
        jobs = None  # A primary list that duplicates have made too short.
    return {'partition': partition, 'device': device['id'], 'hashes': as_json(hashes), 'jobs': jobs}


def delta_case(rng, daemon):
    local, remote = random_hashes(rng, 3), random_hashes(rng, 3)
    for suffix in list(local):
        if rng.random() < 0.8:
            remote[suffix] = dict(local[suffix])
            if rng.random() < 0.4:
                remote[suffix][rng.choice([None, 0, 1])] = rng.choice('abcdef') * 32
    ours, theirs = rng.randint(0, 3), rng.randint(0, 3)
    return {'local': as_json(local), 'remote': as_json(remote), 'ours': ours, 'theirs': theirs,
            'delta': sorted(daemon.get_suffix_delta(local, ours, remote, theirs))}


def make_tree(root, plan):
    os.makedirs(root)
    for path, age in plan:
        full = os.path.join(root, path)
        if age is None:
            os.makedirs(full, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        open(full, 'w').close()
        os.utime(full, (time.time() - age, time.time() - age))


def list_tree(root):
    return sorted(os.path.relpath(os.path.join(folder, name), root)
                  for folder, folders, files in os.walk(root) for name in folders + files)


def collect_case(rng, policy, ring, base):
    plan = []
    for device in ring.devs:
        if not device or rng.random() < 0.2:
            continue
        name = device['device']
        plan.append((name, None))
        if rng.random() < 0.8:
            plan.append(('%s/objects-1' % name, None))
            for partition in rng.sample(range(PARTITIONS), rng.randint(0, PARTITIONS)):
                plan.append(('%s/objects-1/%d' % (name, partition), None))
            if rng.random() < 0.5:
                plan.append(('%s/objects-1/auditor_status_ZBF.json' % name, 0))
        for number in range(rng.randint(0, 3)):
            plan.append(('%s/tmp-1/t%d' % (name, number), rng.choice([0, 500, 4000, 9000])))
    make_tree(base + '-swift', plan)
    make_tree(base + '-ours', plan)
    daemon = make_daemon(policy, {'devices': base + '-swift', 'mount_check': 'false',
                                  'reclaim_age': '3600', 'ring_ip': '10.0.0.1',
                                  'handoffs_only': str(rng.random() < 0.4)})
    daemon._reset_stats()
    names = ['d%d' % i for i in range(len(ring.devs))]
    devices = rng.sample(names, 3) if rng.random() < 0.3 else []
    partitions = rng.sample(range(PARTITIONS + 2), 4) if rng.random() < 0.3 else []
    parts = daemon.collect_parts(override_devices=devices, override_partitions=partitions)
    return {'root': base + '-ours', 'devices': devices, 'partitions': partitions,
            'handoffs_only': daemon.handoffs_only, 'device_count': daemon.device_count,
            'entries': daemon.part_count, 'tree': list_tree(base + '-swift'),
            'found': sorted('%s/%d' % (p['local_dev']['device'], p['partition']) for p in parts)}


def make_daemon(policy, conf):
    storage_policy._POLICIES = storage_policy.StoragePolicyCollection(
        [StoragePolicy(0, 'zero', is_default=True), policy])
    with mock.patch.object(reconstructor, 'PrefixLoggerAdapter', lambda logger, extra: logger):
        return reconstructor.ObjectReconstructor(conf, logger=Quiet())


def main(directory, seed, count):
    rng = random.Random(seed)
    for number in range(count):
        k, m, factor = rng.choice(
            [(2, 1, 1), (4, 2, 1), (1, 1, 1), (2, 2, 2), (3, 1, 3), (10, 4, 1)])
        base = os.path.join(directory, 'scan-%d' % number)
        ring = random_ring(rng, (k + m) * factor, base + '.ring.gz')
        policy = ECStoragePolicy(1, name='ec', ec_type='liberasurecode_rs_vand', ec_ndata=k,
                                 ec_nparity=m, ec_duplication_factor=factor, object_ring=ring)
        daemon = make_daemon(policy, {})
        answer = {'k': k, 'm': m, 'factor': factor,
                  'jobs': [jobs_case(rng, daemon, policy, ring) for _ in range(30)],
                  'deltas': [delta_case(rng, daemon) for _ in range(10)],
                  'collect': collect_case(rng, policy, ring, base)}
        with open(base + '.json', 'w') as out:
            json.dump(answer, out)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
