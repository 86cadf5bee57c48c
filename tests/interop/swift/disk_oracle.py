#!/usr/bin/python3
"""What the real Swift does with random partitions, for a C++ test to do again on a copy.

    disk_oracle.py run ROOT_A ROOT_B KIND SEED PARTITIONS DIRS   makes the same tree twice, runs
        Swift's own functions on the one in ROOT_A and prints each operation and its result
    disk_oracle.py compare ROOT_A ROOT_B KIND   after the test: are the hash files of both equal to Swift?

KIND is `fragments` or `whole`: the type of the policy.

Lines: `P partition commit_window` starts a partition, `T` asks for the remaining paths, other lines
are operations; `= text` is the expected outcome of the line before it, `! text` an exception of
Swift that ends the partition. Names are percent-quoted.
"""
import hashlib
import logging
import os
import pickle
import random
import re
import shutil
import sys
import time as real_time
import urllib.parse

from swift.common import exceptions, storage_policy, utils
from swift.obj import diskfile

NOW = 1795333043.5
WEEK = 604800
FRAGMENTS = 6
DATA_DIR = 'objects-1'
WHOLE = sys.argv[4:5] == ['whole']

logging.disable(logging.CRITICAL)
utils.HASH_PATH_PREFIX = b'pre'
utils.HASH_PATH_SUFFIX = b'suf'
storage_policy._POLICIES = storage_policy.StoragePolicyCollection([
    storage_policy.StoragePolicy(0, 'zero', True),
    storage_policy.StoragePolicy(1, 'whole') if WHOLE else
    storage_policy.ECStoragePolicy(1, 'ec', ec_type='liberasurecode_rs_vand', ec_ndata=4,
                                   ec_nparity=2)])
POLICY = storage_policy.POLICIES.get_by_index(1)


class FixedTime(object):
    """The time module, standing still."""
    time = staticmethod(lambda: NOW)

    def __getattr__(self, name):
        return getattr(real_time, name)


class SilentLogger(object):
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


real_listdir = os.listdir


def device_of(partition):
    """Each partition has a device of its own, and so a quarantine of its own."""
    return 'd%s' % partition


def fix_environment():
    diskfile.time = utils.time = FixedTime()
    # Ties between files follow the order of the listing: make it one that the test knows.
    os.listdir = lambda path: sorted(real_listdir(path), reverse=True)


def manager(root, commit_window):
    kind = diskfile.DiskFileManager if WHOLE else diskfile.ECDiskFileManager
    return kind(
        {'devices': root, 'mount_check': 'false', 'reclaim_age': str(WEEK),
         'commit_window': str(commit_window)}, SilentLogger())


def quote(text):
    return urllib.parse.quote(os.fsencode(text), safe='/')


def wire(text, is_name=False):
    """The header bytes that a stored string came from."""
    if is_name:
        return text.encode('utf8', 'surrogateescape')
    out = b''
    for char in text:
        code = ord(char)
        if code <= 0xff:
            out += bytes([code])
        elif 0xdc80 <= code <= 0xdcff:
            out += bytes([code - 0xdc00])
        else:
            out += char.encode('utf8')
    return out


def digest(metadata):
    if metadata is None:
        return '-'
    lines = []
    for key, value in metadata.items():
        value = str(value).encode() if isinstance(value, int) else wire(value, key == 'name')
        lines.append(wire(key) + b'=' + value)
    return hashlib.md5(b'\n'.join(sorted(lines))).hexdigest()


class Generator(object):
    """Random partitions, written twice: the second copy is made of hard links."""

    def __init__(self, seed, root_a, root_b):
        self.random = random.Random(seed)
        self.roots = (root_a, root_b)
        self.serial = 0

    def timestamp(self, newest_s=2):
        r = self.random
        age = r.choice([r.uniform(newest_s, 55), r.uniform(65, 7000), r.uniform(7000, WEEK - 10),
                        r.uniform(WEEK + 10, 3 * WEEK), WEEK - 1, WEEK + 1])
        offset = r.choice([1, 255, 0x1234567890]) if r.random() < 0.12 else 0
        return utils.Timestamp(round(NOW - age, 5), offset=offset)

    def data_name(self, ts, wide):
        r = self.random
        if WHOLE and r.random() < 0.95:
            return ts.internal + '.data'
        fi = r.randrange(8 if wide else FRAGMENTS)
        mark = r.choice(['', '', '#d', '#d'])
        text = str(fi) if r.random() < 0.98 else '%02d' % fi
        return '%s#%s%s.data' % (ts.internal, text, mark)

    def junk_name(self, ts):
        t = ts.internal
        return self.random.choice([
            'foo', '123', '.hidden', '..data', '...', 'a.b.c', 'x.meta', '\u00e9.data',
            # Blanks that Python would strip are no part of a number for us.
            'x.data' if WHOLE else ' 1.data',
            '%s.data' % t, '%s#.data' % t, '%s#a.data' % t, '%s#-1.data' % t, '%s#1#x.data' % t,
            '%s#1#d#e.data' % t, '%s#7.data' % t, '%s##d.data' % t, '%s#1.ts' % t, '%s.foo' % t, t,
            '%s+.meta' % t, '%s+zz.meta' % t, '%s-ffffffffffff.meta' % t, '%s+1-2.meta' % t,
            '%s+1+zz.meta' % t, '%s-+1.meta' % t, '.%s.meta' % t, '%s.tar.ts' % t, '%s.TS' % t,
            '.%s#1#d.data.Xy095a' % t, '.%s.ts.abc_12' % t, '.5.Xy0951', 'nan.data', '-1.00000.ts',
            '99999999999.00000.ts', '1e3.ts', '%s_zz.ts' % t.partition('_')[0], '5.ts', '.5.ts'])

    def file_name(self, times, wide):
        r = self.random
        ts = r.choice(times)
        kind = r.random()
        if kind < 0.62:
            return self.data_name(ts, wide)
        if kind < 0.635:
            return ts.internal + '.durable'
        if kind < 0.74:
            return ts.internal + '.meta'
        if kind < 0.88:
            delta = r.choice([0, 1, -1, 500000, -500000, r.randrange(-9000000, 9000000)])
            other = utils.Timestamp(max(0, ts.raw + delta) * utils.PRECISION)
            return utils.encode_timestamps(ts, other if delta else ts, explicit=True) + '.meta'
        if kind < 0.93:
            return ts.internal + '.ts'
        return self.junk_name(ts)

    def metadata(self, name, file_name, size):
        """Mostly right, sometimes not."""
        r = self.random
        stamp = re.split('[-#+]', os.path.splitext(file_name)[0])[0]
        if r.random() < 0.1:
            stamp = str(int(NOW) - 70)
        try:
            stamp = utils.Timestamp(stamp).internal
        except ValueError:
            stamp = utils.Timestamp(NOW - 100).internal
        items = {'X-Timestamp': stamp, 'name': name}
        if file_name.endswith('.data'):
            items.update({'Content-Type': 'text/plain', 'Content-Length': str(size),
                          'ETag': '0' * 32, 'X-Object-Sysmeta-Ec-Etag': '1' * 32,
                          'X-Object-Sysmeta-Ec-Frag-Index': r.choice(['1', 1, '2']),
                          'X-Object-Meta-Kind': 'data', 'X-Static-Large-Object': 'True'})
        elif file_name.endswith('.meta'):
            items.update({'X-Object-Meta-Kind': 'meta', 'X-Object-Sysmeta-Ec-Etag': 'wrong'})
            if r.random() < 0.6:
                items['Content-Type'] = 'text/html'
                items['Content-Type-Timestamp'] = self.timestamp().internal
        if r.random() < 0.3:
            items['X-Object-Meta-Caf\u00e9'] = r.choice(
                [b'caf\xc3\xa9', b'\xff\xfe', b'', b'x', b'tail\xc2\xa0']).decode('latin1')
        if r.random() < 0.1:
            items['X-Delete-At'] = r.choice([str(int(NOW) - 50), str(int(NOW) + 50), 'soon', ' 12_3 '])
        if r.random() < 0.03:
            items['Content-Length'] = r.choice(['', 'x', str(size + 1), ' %d ' % size])
        if r.random() < 0.03:
            items.pop(r.choice(['name', 'Content-Length', 'Content-Type']), None)
        if r.random() < 0.02:
            items['name'] = r.choice(['/a/c/other', '/a', 'a/c/o', '/a//o', ''])
        return items

    def write_metadata(self, path, items):
        r = self.random
        choice = r.random()
        if choice < 0.03:
            return
        with open(path, 'rb') as fp:
            if choice < 0.06:
                ascii_items = {k: v for k, v in items.items() if k.isascii() and str(v).isascii()}
                text = pickle.dumps(ascii_items, 2)
                if choice < 0.04:
                    text = text[:r.randrange(len(text))]
                os.setxattr(fp.fileno(), 'user.swift.metadata', text or b'x')
                return
            diskfile.write_metadata(fp, items, xattr_size=r.choice([65536, 65536, 254]))
            if choice < 0.09:
                os.setxattr(fp.fileno(), 'user.swift.metadata_checksum', b'0' * 32)

    def add_file(self, rel_dir, file_name, name, with_metadata):
        r = self.random
        paths = [os.path.join(root, rel_dir, file_name) for root in self.roots]
        if os.path.lexists(paths[0]):
            return
        size = r.randrange(3)
        with open(paths[0], 'wb') as fp:
            fp.write(b'x' * size)
        if with_metadata:
            self.write_metadata(paths[0], self.metadata(name, file_name, size))
        age = r.choice([r.uniform(0, 59), r.uniform(61, 7000), r.uniform(WEEK, 3 * WEEK)])
        os.utime(paths[0], (NOW - age, NOW - age))
        os.link(paths[0], paths[1])

    def make_dirs(self, rel_dir):
        for root in self.roots:
            os.makedirs(os.path.join(root, rel_dir), exist_ok=True)

    def hash_dir(self, part_dir, suffixes, wide, with_metadata):
        """One object's directory; returns (suffix, hash)."""
        r = self.random
        self.serial += 1
        name = '/a/c\u00e9/o%d/%d' % (self.serial, r.randrange(1000))
        if with_metadata and r.random() < 0.9:
            hsh = utils.hash_path(name.lstrip('/'))
        else:
            hsh = '%029x' % r.getrandbits(116) + r.choice(suffixes)
        rel_dir = os.path.join(part_dir, hsh[-3:], hsh)
        self.make_dirs(rel_dir)
        times = [self.timestamp() for _ in range(r.randrange(1, 4))]
        for _ in range(r.choice([0, 1, 1, 2, 3, 4, 5, 8])):
            self.add_file(rel_dir, self.file_name(times, wide), name, with_metadata)
        return hsh[-3:], hsh

    def stray_entries(self, part_dir, suffixes, files_among_hashes):
        r = self.random
        if r.random() < 0.2:
            self.make_dirs(os.path.join(part_dir, '%03x' % r.randrange(4096)))
        if r.random() < 0.1:
            self.add_file(part_dir, r.choice(['abd', 'xyz', 'x.y', 'README', 'tmpabc.tmp']), '', False)
        if not files_among_hashes:
            return
        for _ in range(r.choice([0, 0, 1, 2])):
            rel = os.path.join(part_dir, r.choice(suffixes))
            self.make_dirs(rel)
            self.add_file(rel, r.choice(['stray', '%032x' % r.getrandbits(128)]), '', False)
        if r.random() < 0.1:
            rel = os.path.join(part_dir, r.choice(suffixes), '%032x' % r.getrandbits(128))
            self.make_dirs(os.path.join(rel, self.timestamp().internal + '.ts'))


class Runner(object):
    def __init__(self, root_a, root_b, seed, out):
        self.generator = Generator(seed, root_a, root_b)
        self.random = self.generator.random
        self.root = root_a
        self.out = out

    def emit(self, operation, outcome):
        self.out.write('%s\n= %s\n' % (operation, outcome))

    def part_path(self, partition):
        return os.path.join(self.root, device_of(partition), DATA_DIR, str(partition))

    def preferences(self, times):
        """(text, value): `-` none, `*` empty, else `ts:fi,fi|ts:`."""
        r = self.random
        kind = r.random()
        if kind < 0.45:
            return '-', None
        if kind < 0.75 or not times:
            return '*', []
        prefs = [{'timestamp': utils.Timestamp(ts),
                  'exclude': r.sample(range(8), r.randrange(0, 9))}
                 for ts in r.sample(sorted(set(times)), min(len(set(times)), r.randrange(1, 4)))]
        return '|'.join('%s:%s' % (p['timestamp'].internal, ','.join(map(str, p['exclude'])))
                        for p in prefs), prefs

    def times_in(self, path):
        times = []
        for name in os.listdir(path) if os.path.isdir(path) else []:
            try:
                times.append(utils.Timestamp(name.split('#')[0]).internal)
            except ValueError:
                pass
        return sorted(times)

    def hashes(self, mgr, partition, listdir, recalculate):
        hashed, hashes = mgr._get_hashes(device_of(partition), str(partition), POLICY, recalculate=recalculate,
                                         do_listdir=listdir)
        parts = ['n=%d' % hashed]
        for suffix in sorted(hashes):
            value = hashes[suffix]
            if value is None:
                parts.append(suffix + '!')
                continue
            value = {None: value} if WHOLE else value
            keys = sorted(value, key=lambda fi: -1 if fi is None else fi)
            parts.append('%s{%s}' % (suffix, ','.join('%s:%s' % (k, value[k]) for k in keys)))
        self.emit('H %d %s' % (listdir, ','.join(recalculate) or '-'), ' '.join(parts))

    def offers(self, mgr, partition, suffix):
        times = []
        path = os.path.join(self.part_path(partition), suffix)
        for hsh in os.listdir(path) if os.path.isdir(path) else []:
            times += self.times_in(os.path.join(path, hsh))
        prefs_text, prefs = self.preferences(times)
        fi = self.random.choice([None, 0, 1, 2, 3, 4, 5])
        found = []
        for hsh, info in mgr.yield_hashes(device_of(partition), str(partition), POLICY, [suffix],
                                          frag_index=fi, frag_prefs=prefs):
            found.append(' '.join([
                hsh, info['ts_data'].internal,
                info['ts_meta'].internal if 'ts_meta' in info else '-',
                info['ts_ctype'].internal if 'ts_ctype' in info else '-',
                str(info.get('durable', '-'))]))
        self.emit('O %s %s %s' % (suffix, '-' if fi is None else fi, prefs_text),
                  ';'.join(sorted(found)))

    def cleanup(self, mgr, partition, suffix, hsh):
        path = os.path.join(self.part_path(partition), suffix, hsh)
        prefs_text, prefs = self.preferences(self.times_in(path))
        fi = self.random.choice([None, None, 0, 1, 2, 3])
        bounded = self.random.random() < 0.5
        results = mgr.cleanup_ondisk_files(path, policy=POLICY if bounded else None, frag_index=fi,
                                           frag_prefs=prefs)

        def name(key):
            return quote(results[key]['filename']) if key in results else '-'
        durable = results.get('durable_frag_set')
        sets = ['%s:%s' % (ts.internal, ','.join('%d' % f['frag_index'] for f in frags))
                for ts, frags in results.get('frag_sets', {}).items()]
        self.emit(
            'C %s/%s %d %s %s' % (suffix, hsh, bounded, '-' if fi is None else fi, prefs_text),
            'data=%s meta=%s ctype=%s ts=%s durable=%s sets=%s names=%s' % (
                name('data_info'), name('meta_info'), name('ctype_info'), name('ts_info'),
                durable[0]['timestamp'].internal if durable else '-', '|'.join(sets),
                ','.join(quote(n) for n in results['files'])))

    def open(self, mgr, partition, suffix, hsh):
        path = os.path.join(self.part_path(partition), suffix, hsh)
        prefs_text, prefs = self.preferences(self.times_in(path))
        fi = self.random.choice([None, None, 0, 1, 2, 3])
        expired = self.random.random() < 0.5
        operation = 'D %s %s %s %d' % (hsh, '-' if fi is None else fi, prefs_text, expired)
        try:
            df = mgr.get_diskfile_from_hash(device_of(partition), str(partition), hsh, POLICY,
                                            frag_index=fi, frag_prefs=prefs,
                                            open_expired=expired)
        except Exception as err:
            if 'list.remove' in str(err):
                raise
            return self.emit(operation, 'no object')
        if os.path.basename(df._datadir) != hsh:
            # Swift would go on with the directory of the stored name; we refuse.
            return self.emit(operation, 'no object')
        try:
            with df.open():
                info = df._ondisk_info['data_info']
                text = 'open %s %s %s %s %s %s %s %d %s %s %s' % (
                    quote(df._name), quote(info['filename']), df.data_timestamp.internal,
                    df.timestamp.internal, df.content_type_timestamp.internal,
                    df.durable_timestamp.internal if df.durable_timestamp else '-',
                    info.get('frag_index', -1), df.content_length, digest(df.get_datafile_metadata()),
                    digest(df.get_metafile_metadata()), digest(df.get_metadata()))
        except exceptions.DiskFileExpired:
            text = 'expired'
        except exceptions.DiskFileDeleted as err:
            text = 'deleted %s %s' % (quote(df._name), err.timestamp.internal)
        except exceptions.DiskFileNotExist:
            text = 'not found'
        except exceptions.DiskFileQuarantined as err:
            text = 'quarantined %s' % quote(str(err).replace(self.root, ''))
            if 'reading metadata' in str(err) or 'checksum' in str(err):
                text = 'quarantined metadata'
        except exceptions.DiskFileCollision:
            text = 'collision'
        self.emit(operation, text)

    def mutate(self, partition):
        """Changes what is on both disks, by operations that the test repeats."""
        r = self.random
        root = self.part_path(partition)
        for directory, _, files in sorted(os.walk(root)):
            rel = os.path.relpath(directory, root)
            if rel.count('/') != 1 or r.random() > 0.2:
                continue
            if files and r.random() < 0.5:
                gone = os.path.join(rel, r.choice(sorted(files)))
                os.unlink(os.path.join(root, gone))
                self.emit('rm %s' % quote(gone), '')
            else:
                name = '%s#%d#d.data' % (self.generator.timestamp().internal,
                                         r.randrange(FRAGMENTS))
                new = os.path.join(rel, name.split('#')[0] + '.data' if WHOLE else name)
                open(os.path.join(root, new), 'w').close()
                self.emit('touch %s' % quote(new), '')
            diskfile.invalidate_hash(os.path.join(root, rel.split('/')[0]))
            self.emit('invalidate %s' % rel.split('/')[0], '')

    def spoil(self, partition):
        """A hashes.pkl that nobody should trust."""
        r = self.random
        text = r.choice([b'', b'garbage', pickle.dumps({'abc': 1, 'nope!': 2}, 2),
                         pickle.dumps({'valid': False}, 2), pickle.dumps([1, 2], 0)])
        with open(os.path.join(self.part_path(partition), 'hashes.pkl'), 'wb') as fp:
            fp.write(text)
        self.emit('spoil %s' % (text.hex() or '-'), '')

    def tree(self, partition):
        paths = []
        top = os.path.join(self.root, device_of(partition))
        for directory, names, files in os.walk(top):
            for name in names + files:
                if not re.match(r'^(\.lock|hashes\.)', name):
                    path = os.path.relpath(os.path.join(directory, name), top)
                    paths.append(re.sub(r'-[0-9a-f]{32}(/|$)', r'-UUID\1', quote(path)))
        self.emit('T', ' '.join(sorted(paths)))

    def partition(self, partition, dir_count):
        r = self.random
        theme = r.choice(['hashes', 'hashes', 'offers', 'cleanup', 'open'])
        window = r.choice([60, 60, 60, 0])
        part_dir = os.path.join(device_of(partition), DATA_DIR, str(partition))
        self.generator.make_dirs(part_dir)
        suffixes = ['%03x' % r.randrange(4096) for _ in range(max(1, dir_count // 8))]
        dirs = [self.generator.hash_dir(part_dir, suffixes, theme != 'open', theme == 'open')
                for _ in range(dir_count)]
        self.generator.stray_entries(part_dir, suffixes, theme == 'hashes')
        self.out.write('P %d %s\n' % (partition, window))
        mgr = manager(self.root, window)
        try:
            if theme == 'offers':
                for suffix in sorted(set(s for s, _ in dirs)):
                    self.offers(mgr, partition, suffix)
            for suffix, hsh in dirs:
                if theme == 'cleanup':
                    self.cleanup(mgr, partition, suffix, hsh)
                elif theme == 'open':
                    self.open(mgr, partition, suffix, hsh)
            if r.random() < 0.1:
                self.spoil(partition)
            self.hashes(mgr, partition, True, [])
            self.mutate(partition)
            self.hashes(mgr, partition, False, r.sample(suffixes, r.randrange(2)))
            self.hashes(mgr, partition, False, [])
            self.tree(partition)
        except ValueError as err:
            # Swift drops a file name from its list twice (an isolated .durable over older data).
            self.out.write('! %s\n' % quote(str(err)))
            shutil.rmtree(os.path.join(self.root, device_of(partition)))


def run(root_a, root_b, _kind, seed, partitions, dir_count):
    fix_environment()
    runner = Runner(root_a, root_b, int(seed), sys.stdout)
    for partition in range(int(partitions)):
        runner.partition(partition, int(dir_count))
        sys.stdout.flush()


def stored(path):
    hashes = diskfile.read_hashes(path)
    hashes.pop('updated', None)
    return hashes


def compare(root_a, root_b, _kind):
    """Swift reads what we wrote, finds nothing to do, and agrees with its own file."""
    fix_environment()
    devices = os.listdir(root_a)
    for device in devices:
        partition = device[1:]
        ours = os.path.join(root_b, device, DATA_DIR, partition)
        theirs = os.path.join(root_a, device, DATA_DIR, partition)
        if not os.path.isdir(ours):
            continue
        if stored(ours) != stored(theirs):
            print('partition %s differs: %r %r' % (partition, stored(ours), stored(theirs)))
            return
    print('equal %d' % len(devices))


if __name__ == '__main__':
    {'run': run, 'compare': compare}[sys.argv[1]](*sys.argv[2:])
