#!/usr/bin/python3
"""Swift's own functions on a partition that a C++ test hashes at the same time.

    rival.py write ROOT SEED ROUNDS OPERATIONS ANSWERS   changes files, invalidates and hashes. After
        each round it compares Swift's hashes with a fresh hash of every suffix, prints `round TEXT`
        with them, and waits for a line in the FIFO ANSWERS
    rival.py hash ROOT SEED   hashes in a loop until ROOT/stop exists

Each change is made before its suffix is invalidated, so at the end of a round every hash must be
that of the files as they are: otherwise an invalidation was lost.
"""
import os
import random
import sys

import disk_oracle
from swift.common import exceptions, utils
from swift.obj import diskfile

DEVICE, PARTITION = 'd1', '7'
SUFFIXES = ['%03x' % (i * 0x111) for i in range(8)]
diskfile.DEFAULT_LOCK_TIMEOUT = 60


class Rival(object):
    def __init__(self, root, seed):
        self.root = root
        self.random = random.Random(int(seed))
        self.manager = disk_oracle.manager(root, 60)
        self.partition = os.path.join(root, DEVICE, disk_oracle.DATA_DIR, PARTITION)
        self.serial = 0
        self.files = []
        self.counts = {}

    def hashes(self):
        recalculate = self.random.sample(SUFFIXES, self.random.choice([0, 0, 1, 3]))
        return self.manager._get_hashes(DEVICE, PARTITION, disk_oracle.POLICY,
                                        recalculate=recalculate,
                                        do_listdir=self.random.random() < 0.3)[1]

    def invalidate(self, suffix):
        diskfile.invalidate_hash(os.path.join(self.partition, suffix))

    def timestamp(self):
        self.serial += 1
        return utils.Timestamp(1795333043 + self.serial)

    def add(self):
        suffix = self.random.choice(SUFFIXES)
        hsh = '%028x%d%s' % (0, self.random.randrange(4), suffix)
        path = os.path.join(self.partition, suffix, hsh)
        name = '%s#%d#d.data' % (self.timestamp().internal, self.random.randrange(6))
        while True:
            try:
                # Whoever hashes may remove the empty directories meanwhile.
                os.makedirs(path, exist_ok=True)
                open(os.path.join(path, name), 'w').close()
                break
            except FileNotFoundError:
                pass
        self.files.append(os.path.join(suffix, hsh, name))
        self.invalidate(suffix)

    def remove(self):
        if not self.files:
            return
        gone = self.files.pop(self.random.randrange(len(self.files)))
        utils.remove_file(os.path.join(self.partition, gone))
        self.invalidate(gone[:3])

    def put(self):
        """A fragment by way of Swift's writer, which invalidates before it links."""
        name = 'o%d' % self.random.randrange(20)
        timestamp = self.timestamp().internal
        df = self.manager.get_diskfile(DEVICE, PARTITION, 'a', 'c', name, disk_oracle.POLICY,
                                       frag_index=1)
        try:
            with df.create() as writer:
                writer.write(b'x')
                writer.put({'X-Timestamp': timestamp, 'Content-Length': '1', 'ETag': '0' * 32,
                            'Content-Type': 'text/plain'})
                writer.commit(utils.Timestamp(timestamp))
        except (OSError, exceptions.DiskFileError):
            self.counts['failed puts'] = self.counts.get('failed puts', 0) + 1
        self.invalidate(os.path.basename(os.path.dirname(df._datadir)))

    def fresh(self):
        hashes = {}
        for suffix in os.listdir(self.partition):
            if diskfile.valid_suffix(suffix):
                try:
                    hashes[suffix] = self.manager._hash_suffix(
                        os.path.join(self.partition, suffix), policy=disk_oracle.POLICY)
                except diskfile.PathNotDir:
                    pass
        return hashes

    def operate(self):
        kind = self.random.choice(['add', 'add', 'add', 'remove', 'remove', 'put', 'hashes', 'hashes'])
        getattr(self, kind)()
        self.counts[kind] = self.counts.get(kind, 0) + 1


def text_of(hashes):
    parts = []
    for suffix in sorted(hashes):
        keys = sorted(hashes[suffix], key=lambda fi: -1 if fi is None else fi)
        parts.append('%s{%s}' % (suffix, ','.join('%s:%s' % (k, hashes[suffix][k]) for k in keys)))
    return ' '.join(parts)


def write(root, seed, rounds, operations, answers):
    rival = Rival(root, seed)
    with open(answers) as answered:
        for number in range(int(rounds)):
            for _ in range(int(operations)):
                rival.operate()
            hashes = rival.manager._get_hashes(DEVICE, PARTITION, disk_oracle.POLICY)[1]
            fresh = rival.fresh()
            if hashes != fresh:
                sys.stdout.write('LOST in round %d: %s\nfresh: %s\n' % (
                    number, text_of(hashes), text_of(fresh)))
                return
            sys.stdout.write('round %s\n' % text_of(fresh))
            sys.stdout.flush()
            answered.readline()
    sys.stdout.write('done %s\n' % rival.counts)


def hash_until_stopped(root, seed):
    rival = Rival(root, seed)
    count = 0
    while not os.path.exists(os.path.join(root, 'stop')):
        rival.hashes()
        count += 1
    sys.stdout.write('hashed %d\n' % count)


if __name__ == '__main__':
    {'write': write, 'hash': hash_until_stopped}[sys.argv[1]](*sys.argv[2:])
