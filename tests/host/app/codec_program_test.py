#!/usr/bin/python3
"""Runs `fragmend codec` as an operator does, on archives that the real PyECLib encoded."""
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import platform
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

try:
    from pyeclib.ec_iface import ECDriver
except ImportError:
    ECDriver = None

FRAGMEND = sys.argv.pop(1) if len(sys.argv) > 1 else 'build/fragmend'


def run(*words, **more):
    done = subprocess.run([FRAGMEND, 'codec', *words], capture_output=True, text=True, timeout=60,
                          **more)
    return done.returncode, done.stdout, done.stderr


# The numbers of these calls, and a bit of the argument (its place, the bit) that a file system
# does not know.
OLDER_FILE_SYSTEM = {
    'x86_64': ((257, 2, 0o20000000, errno.EOPNOTSUPP),  # openat, O_TMPFILE
               (316, 4, 1, errno.EINVAL)),              # renameat2, RENAME_NOREPLACE
    'aarch64': ((56, 2, 0o20000000, errno.EOPNOTSUPP), (276, 4, 1, errno.EINVAL)),
}.get(platform.machine())


def on_older_file_system():
    """Called in the child: from here on its calls fail as on NFS, by a filter in the kernel."""
    code = []
    for number, place, bit, error in OLDER_FILE_SYSTEM:
        code += [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16 + 8 * place),
                 (0x45, 0, 1, bit), (0x06, 0, 0, 0x00050000 | error)]
    code.append((0x06, 0, 0, 0x7fff0000))
    filters = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *one) for one in code))
    program = struct.pack('HxxxxxxP', len(code), ctypes.addressof(filters))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((38, 1, 0, 0, 0), (22, 2, program, 0, 0)):  # No new privileges; the filter.
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), 'prctl')


class Survey(unittest.TestCase):
    def test_list_names_every_code_and_what_is_missing(self):
        code, out, _ = run('list')
        self.assertEqual(code, 0)
        for words in ('liberasurecode_rs_vand  yes', 'flat_xor_hd_4', 'shss                    no: ',
                      'GPU', 'GF(2^16)'):
            self.assertIn(words, out)
        code, out, _ = run('list', '--json')
        facts = json.loads(out)
        self.assertEqual(len(facts['schemes']), 11)
        self.assertTrue(facts['decode'] and facts['md5'])
        for one in facts['schemes']:
            self.assertEqual(one['usable'], one['why_not'] == '')

    def test_check_compares_with_the_library(self):
        code, out, _ = run('check')
        self.assertEqual(code, 0, out)
        self.assertTrue(out.startswith('checked on the CPU\n'), out)
        self.assertIn('right', out)
        self.assertNotIn('WRONG', out)
        code, out, _ = run('check', '--ec-type', 'liberasurecode_rs_vand', '--policy', '5+3')
        self.assertEqual((code, out), (0, "liberasurecode_rs_vand 5+3: every fragment is the "
                                          "library's, on the CPU\n"))

    def test_what_is_not_there_ends_in_one_line(self):
        for ec_type in ('shss', 'libphazr', 'isa_l_rs_lrc', 'nonsense'):
            code, out, err = run('check', '--ec-type', ec_type, '--policy', '4+2')
            self.assertEqual((code, out), (2, ''))
            self.assertRegex(err, r'\Afragmend: .*%s[^\n]*\n\Z' % ec_type)

    def test_bench_gives_rates(self):
        code, out, _ = run('bench', '--quick', '--json')
        self.assertEqual(code, 0)
        rows = json.loads(out)['rows']
        self.assertEqual(len(rows), 20)
        self.assertTrue(all(row['cpu_gb_per_s'] > 0 for row in rows))

    def test_help_and_usage(self):
        for words in ((), ('list',), ('check',), ('bench',), ('rebuild',)):
            code, out, err = run(*words, '--help')
            self.assertEqual((code, err), (0, ''))
            self.assertTrue(out.startswith('usage: fragmend codec'))
        for words, message in (
                ((), 'usage: fragmend codec'),
                (('frob',), "no command 'codec frob'"),
                (('list', 'x'), "unexpected word 'x'"),
                (('list', '--ec-type', 'x'), "no option '--ec-type'"),
                (('check', '--policy', '4+2'), 'go together'),
                (('check', '--ec-type', 'x', '--policy', '4'), '--policy is K+M'),
                (('check', '--backend', 'tpu'), '--backend is auto'),
                (('rebuild',), 'needs --ec-type'),
                (('rebuild', '--ec-type=x', '--policy=4+2'), 'needs --index'),
                (('rebuild', '--ec-type=x', '--policy=4+2', '--index=6'), 'no 6'),
                (('rebuild', '--ec-type=x', '--policy=4+2', '--index=x'), 'is a number'),
                (('rebuild', '--ec-type=x', '--policy=4+2', '--index=1'), 'needs -o'),
                (('rebuild', '--ec-type=x', '--policy=4+2', '--index=1', '-o', 'y'), 'archives'),
                (('rebuild', '--index'), 'needs a value'),
                (('rebuild', '--segment-size', '0'), 'number of bytes')):
            code, out, err = run(*words)
            self.assertEqual((code, out), (2, ''), words)
            self.assertIn(message, err)


@unittest.skipIf(ECDriver is None, 'PyECLib is not installed')
class Rebuild(unittest.TestCase):
    SEGMENT = 4096

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='fragmend-codec-')
        self.addCleanup(self.folder.cleanup)
        self.out = self.path('out')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def archives(self, ec_type, k, m, size=3 * SEGMENT + 777):
        driver = ECDriver(k=k, m=m, ec_type=ec_type)
        data = random.Random(size).randbytes(size)
        parts = [driver.encode(data[at:at + self.SEGMENT]) for at in range(0, size, self.SEGMENT)]
        self.whole = [b''.join(part[i] for part in parts) for i in range(k + m)]
        self.policy = ['--ec-type', ec_type, '--policy', '%d+%d' % (k, m)]
        for index, archive in enumerate(self.whole):
            self.write(index, archive)

    def write(self, index, content):
        with open(self.path('a%d' % index), 'wb') as out:
            out.write(content)

    def rebuild(self, index, others, *words):
        return run('rebuild', *self.policy, '--index', str(index), '-o', self.out, *words,
                   *(self.path('a%d' % i) for i in others))

    def expect(self, index):
        with open(self.out, 'rb') as rebuilt:
            self.assertEqual(rebuilt.read(), self.whole[index])
        os.unlink(self.out)
        self.assertEqual(sorted(n for n in os.listdir(self.folder.name) if not n.startswith('a')), [])

    def test_every_code_every_fragment(self):
        for ec_type, k, m in (('liberasurecode_rs_vand', 4, 2), ('jerasure_rs_vand', 3, 2),
                              ('jerasure_rs_cauchy', 4, 2), ('isa_l_rs_vand', 10, 4),
                              ('isa_l_rs_cauchy', 10, 4), ('flat_xor_hd_3', 5, 5)):
            self.archives(ec_type, k, m)
            for index in range(k + m):
                others = [i for i in range(k + m) if i != index]
                random.Random(index).shuffle(others)
                code, out, err = self.rebuild(index, others)
                self.assertEqual((code, err), (0, ''), (ec_type, index))
                self.assertIn(hashlib.md5(self.whole[index]).hexdigest(), out)
                self.expect(index)

    def test_backends_agree(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        for backend in ('auto', 'cpu', 'liberasurecode'):
            code, out, err = self.rebuild(1, [0, 2, 3, 4, 5], '--backend', backend)
            self.assertEqual((code, err), (0, ''))
            self.expect(1)
        code, _, err = self.rebuild(1, [0, 2, 3, 4], '--backend=gpu')
        if code == 0:
            self.expect(1)
        else:
            self.assertEqual(code, 2)
            self.assertRegex(err, r'\Afragmend: no GPU: [^\n]+\n\Z')

    def test_damaged_archives_are_named(self):
        self.archives('isa_l_rs_cauchy', 4, 4)
        spoiled = bytearray(self.whole[2])
        spoiled[-1] ^= 1
        self.write(2, spoiled)
        code, out, err = self.rebuild(0, [1, 2, 3, 4, 5, 6, 7], '--json')
        self.assertEqual(code, 0)
        report = json.loads(out)
        self.assertEqual([one['archive'] for one in report['left_out']], [self.path('a2')])
        self.assertIn('left out ' + self.path('a2'), err)
        self.expect(0)

    def test_contradictions_write_nothing(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        spoiled = bytearray(self.whole[2])
        spoiled[-1] ^= 1
        self.write(2, spoiled)
        code, out, err = self.rebuild(0, [1, 2, 3, 4, 5])
        self.assertEqual((code, out), (5, ''))
        self.assertIn('contradict each other', err)
        self.assertFalse(os.path.exists(self.out))
        code, out, err = self.rebuild(0, [1, 3, 4])
        self.assertEqual((code, out), (5, ''))
        self.assertIn('3 of 3 archives can be used', err)

    def test_what_exists_is_not_replaced(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        with open(self.out, 'w') as out:
            out.write('precious')
        code, _, err = self.rebuild(0, [1, 2, 3, 4])
        self.assertEqual(code, 4)
        self.assertIn('--force', err)
        with open(self.out) as out:
            self.assertEqual(out.read(), 'precious')
        code, _, _ = self.rebuild(0, [1, 2, 3, 4], '--force')
        self.assertEqual(code, 0)
        self.expect(0)

    def test_force_replaces_files_alone(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        os.mkdir(self.path('folder'))
        os.mkfifo(self.path('pipe'))
        os.symlink('a5', self.path('link'))
        os.symlink('nowhere', self.path('dangling'))
        before = sorted(os.listdir(self.folder.name))
        for name, why in (('folder', 'is a directory'), ('pipe', 'is not a regular file'),
                          ('link', 'is not a regular file'), ('dangling', 'is not a regular file')):
            for force in ((), ('--force',)):
                self.out = self.path(name)
                code, out, err = self.rebuild(0, [1, 2, 3, 4], *force)
                self.assertEqual((code, out), (4, ''), (name, force))
                self.assertEqual(err, 'fragmend: %s %s\n' % (self.out, why))
        self.assertEqual(sorted(os.listdir(self.folder.name)), before)

    def test_out_is_never_one_of_the_archives(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        os.link(self.path('a2'), self.path('same'))
        for name in ('a2', 'same'):
            for force in ((), ('--force',)):
                self.out = self.path(name)
                code, out, err = self.rebuild(0, [1, 2, 3, 4, 5], *force)
                self.assertEqual((code, out), (4, ''))
                self.assertEqual(
                    err, 'fragmend: %s is one of the archives: %s\n' % (self.out, self.path('a2')))
        with open(self.path('a2'), 'rb') as archive:
            self.assertEqual(archive.read(), self.whole[2])

    @unittest.skipIf(OLDER_FILE_SYSTEM is None, 'the numbers of system calls are unknown')
    def test_file_systems_that_cannot_refuse_to_replace(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        words = ['rebuild', *self.policy, '--index=0', '-o', self.out,
                 *(self.path('a%d' % i) for i in (1, 2, 3, 4, 5))]
        for force in ((), ('--force',)):
            code, _, err = run(*words, *force, preexec_fn=on_older_file_system)
            self.assertEqual((code, err), (0, ''))
            self.expect(0)

    def with_the_report_held_up(self, older, then):
        """Calls `then` while the program waits, between the last byte and OUT, for its report."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        fcntl.fcntl(write, fcntl.F_SETFL, os.O_NONBLOCK)
        try:
            while True:
                os.write(write, b'x' * 4096)
        except BlockingIOError:
            fcntl.fcntl(write, fcntl.F_SETFL, 0)
        child = subprocess.Popen(
            [FRAGMEND, 'codec', 'rebuild', *self.policy, '--index=0', '-o', self.out,
             *(self.path('a%d' % i) for i in (1, 2, 3, 4, 9))],
            stdout=subprocess.DEVNULL, stderr=write,
            preexec_fn=on_older_file_system if older else None)
        os.close(write)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        end = time.monotonic() + 30
        while not self.written_by(child.pid):
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(child.poll())
            time.sleep(0.001)
        then(child)
        os.set_blocking(read, False)
        said = b''
        while child.poll() is None or not said:
            try:
                said += os.read(read, 65536)
            except BlockingIOError:
                time.sleep(0.001)
        try:
            while more := os.read(read, 65536):
                said += more
        except BlockingIOError:
            pass
        return child.returncode, said.lstrip(b'x').decode()

    def written_by(self, pid):
        for fd in os.listdir('/proc/%d/fd' % pid):
            try:
                name = '/proc/%d/fd/%s' % (pid, fd)
                if (os.readlink(name).startswith(self.folder.name)
                        and os.stat(name).st_size == len(self.whole[0])
                        and os.stat(name).st_ino not in self.inodes()):
                    return True
            except FileNotFoundError:
                pass
        return False

    def inodes(self):
        return {os.stat(self.path(name)).st_ino for name in os.listdir(self.folder.name)
                if name.startswith('a')}

    def ways(self):
        return (False,) if OLDER_FILE_SYSTEM is None else (False, True)

    def test_signals_leave_nothing_behind(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        for older in self.ways():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                code, _ = self.with_the_report_held_up(older, lambda c: c.send_signal(number))
                self.assertEqual(code, -number)
                self.assertEqual([n for n in os.listdir(self.folder.name) if n[0] != 'a'], [])

    def test_what_comes_meanwhile_is_not_replaced(self):
        self.archives('isa_l_rs_cauchy', 4, 2)

        def come(_):
            with open(self.out, 'w') as out:
                out.write('precious')
        for older in self.ways():
            code, err = self.with_the_report_held_up(older, come)
            self.assertEqual(code, 4, err)
            self.assertIn('%s exists; --force replaces it\n' % self.out, err)
            with open(self.out) as out:
                self.assertEqual(out.read(), 'precious')
            self.assertEqual([n for n in os.listdir(self.folder.name) if n[0] != 'a'], ['out'])
            os.unlink(self.out)

    def test_a_result_that_nothing_proves_says_so(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        code, out, err = self.rebuild(0, [1, 2, 3, 4], '--json')
        self.assertEqual((code, json.loads(out)['proven']), (0, False))
        self.assertEqual(err, 'fragmend: %s is not proven: of 4 archives used 0 have a known MD5, '
                              'and no spares vouch for the others\n' % self.out)
        self.expect(0)
        code, out, err = self.rebuild(0, [1, 2, 3, 4, 5], '--json')
        self.assertEqual((code, json.loads(out)['proven'], err), (0, True, ''))
        self.expect(0)

    def test_empty_files_are_an_empty_object_once_each(self):
        self.archives('isa_l_rs_cauchy', 4, 2, size=0)
        code, out, err = self.rebuild(0, [1, 2, 3, 4])
        self.assertEqual(code, 0)
        self.assertIn(hashlib.md5().hexdigest(), out)
        self.expect(0)
        os.link(self.path('a3'), self.path('a6'))
        code, out, err = self.rebuild(0, [1, 2, 3, 3, 6])
        self.assertEqual((code, out), (5, ''))
        self.assertIn('left out %s: the same file as %s' % (self.path('a6'), self.path('a3')), err)

    def test_files_that_cannot_be_read(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        code, _, err = self.rebuild(0, [1, 2, 3, 9])
        self.assertEqual(code, 5)
        self.assertIn('left out %s: cannot open it: No such file' % self.path('a9'), err)
        os.mkfifo(self.path('pipe'))
        # It says that it has a page's length, and ends before: as one that was cut meanwhile.
        cut = '/sys/kernel/mm/transparent_hugepage/enabled'
        for path, why in ((self.path('a9'), 'cannot open it: No such file'),
                          (self.folder.name, 'it is not a regular file'),
                          (self.path('pipe'), 'it is not a regular file'), (cut, 'it ends at byte')):
            if path == cut and not os.path.exists(cut):
                continue
            code, _, err = self.rebuild(0, [1, 2, 3, 4, 5], path)
            self.assertEqual(code, 0)
            self.assertIn('left out %s: %s' % (path, why), err)
            os.unlink(self.out)
        os.unlink(self.path('pipe'))
        code, _, err = run('rebuild', *self.policy, '--index=0', '-o', self.path('no/where'),
                           *(self.path('a%d' % i) for i in (1, 2, 3, 4)))
        self.assertEqual(code, 2)
        self.assertIn('cannot create', err)

    def test_segment_size_can_be_insisted_on(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        code, _, _ = self.rebuild(0, [1, 2, 3, 4], '--segment-size', '4096')
        self.assertEqual(code, 0)
        self.expect(0)
        code, _, err = self.rebuild(0, [1, 2, 3, 4], '--segment-size=1048576')
        self.assertEqual(code, 5)
        self.assertIn('segments are of 4096 bytes, not 1048576', err)


@unittest.skipIf(ECDriver is None, 'PyECLib is not installed')
class WithSwiftsMetadata(Rebuild):
    """The same files as an object server leaves them."""

    def write(self, index, content):
        super().write(index, content)
        try:
            from swift.obj.diskfile import write_metadata
        except ImportError:
            self.skipTest('Swift is not installed')
        with open(self.path('a%d' % index), 'rb+') as out:
            try:
                write_metadata(out.fileno(), {
                    'name': '/a/c/o', 'ETag': hashlib.md5(self.whole[index]).hexdigest(),
                    'X-Timestamp': '1700000000.00000', 'X-Object-Sysmeta-Ec-Etag': 'e' * 32,
                    'X-Object-Sysmeta-Ec-Frag-Index': str(index)})
            except Exception as failure:  # No extended attributes on this file system.
                self.skipTest(str(failure))

    def test_contradictions_write_nothing(self):
        """There are none: the MD5 says who is wrong, with k good ones left."""
        self.archives('isa_l_rs_cauchy', 4, 2)
        spoiled = bytearray(self.whole[2])
        spoiled[-1] ^= 1
        self.write(2, spoiled)
        code, out, err = self.rebuild(0, [1, 2, 3, 4, 5])
        self.assertEqual(code, 0)
        self.assertIn('4 of 4 verified by their MD5', out)
        self.assertIn('its MD5 is', err)
        self.expect(0)

    def test_a_result_that_nothing_proves_says_so(self):
        """It is proven: by MD5s, until one of them is missing."""
        self.archives('isa_l_rs_cauchy', 4, 2)
        code, out, err = self.rebuild(0, [1, 2, 3, 4], '--json')
        self.assertEqual((code, json.loads(out)['proven'], err), (0, True, ''))
        self.expect(0)
        self.remove_metadata(2)
        code, out, err = self.rebuild(0, [1, 2, 3, 4], '--json')
        self.assertEqual((code, json.loads(out)['proven'], json.loads(out)['verified']),
                         (0, False, 3))
        self.assertIn('of 4 archives used 3 have a known MD5', err)
        self.expect(0)

    def remove_metadata(self, index):
        for name in os.listxattr(self.path('a%d' % index)):
            os.removexattr(self.path('a%d' % index), name)

    def test_files_that_lost_their_bytes_are_no_empty_object(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        for index in (1, 2, 3, 4, 5):
            os.truncate(self.path('a%d' % index), 0)
        code, out, err = self.rebuild(0, [1, 2, 3, 4, 5])
        self.assertEqual((code, out), (5, ''))
        self.assertEqual(err.count('its MD5 is d41d8cd98f00b204e9800998ecf8427e, not '), 5)
        self.assertFalse(os.path.exists(self.out))

    def test_damaged_attributes_leave_their_file_out(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        path = self.path('a2')
        good = os.getxattr(path, 'user.swift.metadata')
        checksum = os.getxattr(path, 'user.swift.metadata_checksum')

        def set_metadata(pickle):
            os.setxattr(path, 'user.swift.metadata', pickle)
            os.setxattr(path, 'user.swift.metadata_checksum',
                        hashlib.md5(pickle).hexdigest().encode())
        for spoil, why in (
                (lambda: os.setxattr(path, 'user.swift.metadata', good[:-9] + b'x' * 9),
                 'checksum mismatch'),
                (lambda: os.removexattr(path, 'user.swift.metadata'), 'checksum mismatch'),
                (lambda: set_metadata(b'no pickle'), 'Exception reading metadata'),
                (lambda: set_metadata(good.replace(hashlib.md5(self.whole[2]).hexdigest().encode(),
                                                   b'?' * 32)), 'ETag is no MD5')):
            os.setxattr(path, 'user.swift.metadata', good)
            os.setxattr(path, 'user.swift.metadata_checksum', checksum)
            spoil()
            code, _, err = self.rebuild(0, [1, 2, 3, 4, 5])
            self.assertEqual(code, 0)
            self.assertIn('left out %s: its attributes are damaged: ' % path, err)
            self.assertIn(why, err)
            self.expect(0)

    def test_another_object_is_left_out(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        from swift.obj.diskfile import write_metadata
        with open(self.path('a2'), 'rb+') as out:
            write_metadata(out.fileno(), {
                'ETag': hashlib.md5(self.whole[2]).hexdigest(), 'X-Timestamp': '1700000001.00000',
                'X-Object-Sysmeta-Ec-Etag': 'f' * 32})
        code, _, err = self.rebuild(0, [1, 2, 3, 4, 5])
        self.assertEqual(code, 0)
        self.assertIn('another object or version', err)
        self.expect(0)


if __name__ == '__main__':
    unittest.main()
