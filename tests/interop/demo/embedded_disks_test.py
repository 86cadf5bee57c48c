#!/usr/bin/python3
"""The real Swift reads what an embedded cluster wrote: ring, archives, metadata, hashes.

Runs `fragmend demo --keep`, so half of what is read went through a rebuild. Exit status 77: no Swift.
"""

import collections
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import swift.common.utils as utils
except ImportError:
    print('no Swift here')
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PROGRAM = os.environ.get('FRAGMEND_UNDER_TEST') or os.path.join(ROOT, 'build', 'fragmend')
SEED = int(os.environ.get('FRAGMEND_SEED') or random.randrange(1 << 30))
OBJECTS = 60
DELETED = 3  # Of 60: the numbers 11, 31 and 51.


class EmbeddedDisks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print('FRAGMEND_SEED=%d' % SEED)
        cls.place = tempfile.mkdtemp(prefix='fragmend-test-')
        cls.addClassCleanup(shutil.rmtree, cls.place)
        done = subprocess.run(
            [PROGRAM, 'demo', '--keep', '--json', '--dir', cls.place, '--no-fsync', '--wipe', '2',
             '--objects', str(OBJECTS), '--bytes', '0,1,0-3M', '--seed', str(SEED)],
            stdout=subprocess.PIPE, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout
        cls.result = json.loads(done.stdout)
        cls.folder = cls.result['folder']
        cls.start_swift()

    @classmethod
    def start_swift(cls):
        utils.SWIFT_CONF_FILE = os.path.join(cls.folder, 'etc', 'swift.conf')
        utils.HASH_PATH_PREFIX = utils.HASH_PATH_SUFFIX = b''
        utils.validate_hash_conf()
        from swift.common import storage_policy
        from swift.common.ring import Ring
        from swift.obj.diskfile import DiskFileRouter
        storage_policy.reload_storage_policies()
        cls.policy = storage_policy.POLICIES[0]
        cls.ring = Ring(os.path.join(cls.folder, 'etc'), ring_name='object')
        cls.policy.object_ring = cls.ring
        cls.manager = DiskFileRouter({'devices': os.path.join(cls.folder, 'srv'),
                                      'mount_check': 'false'},
                                     utils.get_logger({'log_address': '/nowhere'}))[cls.policy]

    def files(self, extension):
        """(device, partition, hash, path) of every such file."""
        for device in sorted(os.listdir(os.path.join(self.folder, 'srv'))):
            top = os.path.join(self.folder, 'srv', device, 'objects')
            for folder, _folders, names in os.walk(top):
                for name in names:
                    if name.endswith(extension):
                        parts = os.path.relpath(folder, top).split('/')
                        yield device, parts[0], parts[2], os.path.join(folder, name)

    def open_at(self, device, partition, object_hash):
        disk_file = self.manager.get_diskfile_from_hash(device, partition, object_hash, self.policy)
        return disk_file.open()

    def test_ring_names_every_archive_s_place(self):
        self.ring.validate_ring_data = None
        self.assertEqual(self.ring.replica_count, 6)
        self.assertEqual(self.ring.partition_count, 32)
        seen = 0
        for device, partition, object_hash, path in self.files('.data'):
            nodes = self.ring.get_part_nodes(int(partition))
            index = int(os.path.basename(path).split('#')[1])
            self.assertEqual(nodes[index]['device'], device, path)
            self.assertEqual(self.ring.get_part_nodes(int(object_hash, 16) >> (128 - 5)), nodes)
            seen += 1
        self.assertEqual(seen, (OBJECTS - DELETED) * 6)

    def test_every_archive_passes_the_checks_of_swift_s_auditor(self):
        for device, partition, object_hash, path in self.files('.data'):
            with self.open_at(device, partition, object_hash) as disk_file:
                metadata = disk_file.get_metadata()
                reader = disk_file.reader(_quarantine_hook=lambda why: self.fail(path + str(why)))
                read = sum(len(chunk) for chunk in reader)
            self.assertEqual(read, int(metadata['Content-Length']))
            self.assertEqual(metadata['X-Object-Sysmeta-Ec-Scheme'],
                             self.policy.ec_scheme_description)
            self.assertEqual(metadata['X-Object-Sysmeta-Ec-Segment-Size'], '1048576')
        for device in self.manager_devices():
            self.assertFalse(os.path.exists(os.path.join(device, 'quarantined')))

    def manager_devices(self):
        top = os.path.join(self.folder, 'srv')
        return [os.path.join(top, name) for name in os.listdir(top)]

    def test_pyeclib_decodes_any_k_archives_and_encodes_the_same(self):
        from swift.obj.diskfile import read_metadata
        dice = random.Random(SEED)
        archives = collections.defaultdict(dict)
        for _device, _partition, object_hash, path in self.files('.data'):
            archives[object_hash][int(os.path.basename(path).split('#')[1])] = path
        driver = self.policy.pyeclib_driver
        for indexes in archives.values():
            self.assertEqual(sorted(indexes), list(range(6)))
            metadata = read_metadata(indexes[0])
            bodies = {index: open(path, 'rb').read() for index, path in indexes.items()}
            step = self.policy.fragment_size
            decoded = []
            for start in range(0, len(bodies[0]), step):
                chosen = dice.sample(sorted(bodies), 4)
                segment = driver.decode([bodies[i][start:start + step] for i in chosen])
                again = driver.encode(segment)
                for index, body in bodies.items():
                    self.assertEqual(body[start:start + step], again[index])
                decoded.append(segment)
            whole = b''.join(decoded)
            self.assertEqual(len(whole), int(metadata['X-Object-Sysmeta-Ec-Content-Length']))
            self.assertEqual(hashlib.md5(whole).hexdigest(), metadata['X-Object-Sysmeta-Ec-Etag'])

    def test_posts_and_tombstones_mean_to_swift_what_they_say(self):
        from swift.common.exceptions import DiskFileDeleted
        posted = [place for place in self.files('.meta')]
        for device, partition, object_hash, path in posted:
            try:
                with self.open_at(device, partition, object_hash) as disk_file:
                    self.assertEqual(disk_file.get_metadata()['X-Object-Meta-Color'], 'posted', path)
            except DiskFileDeleted:
                self.fail(path + ' lies beside a newer tombstone')
        deleted = list(self.files('.ts'))
        for device, partition, object_hash, _path in deleted:
            with self.assertRaises(DiskFileDeleted):
                self.open_at(device, partition, object_hash)
        self.assertEqual(len(posted), OBJECTS // 10 * 6)
        self.assertEqual(len(deleted), DELETED * 6)

    def test_object_info_finds_the_archives_valid(self):
        places = list(self.files('.data'))
        for _device, _partition, _hash, path in random.Random(SEED).sample(places, 4):
            done = subprocess.run(
                ['swift-object-info', '-d', os.path.join(self.folder, 'etc'), path],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn('(valid)', done.stdout)
            self.assertIn('Path: /AUTH_demo/box-', done.stdout)
            self.assertNotIn('rror', done.stdout)

    def test_swift_hashes_every_partition_of_both_alike(self):
        """Suffix hashes of a rebuilt device are those of the lost one, to Swift's own eyes."""
        from swift.obj.diskfile import DiskFileRouter
        lost = DiskFileRouter({'devices': os.path.join(self.folder, 'lost'),
                               'mount_check': 'false'},
                              utils.get_logger({'log_address': '/nowhere'}))[self.policy]
        for device in self.result['wiped']:
            partitions = os.listdir(os.path.join(self.folder, 'lost', device, 'objects'))
            self.assertGreater(len(partitions), 10)
            for partition in partitions:
                if not partition.isdigit():
                    continue
                self.assertEqual(
                    self.manager.get_hashes(device, partition, None, self.policy),
                    lost.get_hashes(device, partition, None, self.policy), (device, partition))


if __name__ == '__main__':
    unittest.main()
