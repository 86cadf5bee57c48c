#!/usr/bin/python3
"""Runs `fragmend codec` as an operator does, on archives that the real PyECLib encoded."""
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

try:
    from pyeclib.ec_iface import ECDriver
except ImportError:
    ECDriver = None

FRAGMEND = sys.argv.pop(1) if len(sys.argv) > 1 else 'build/fragmend'


def run(*words):
    done = subprocess.run([FRAGMEND, 'codec', *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


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
            code, out, err = self.rebuild(1, [0, 2, 3, 4], '--backend', backend)
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

    def test_files_that_cannot_be_read(self):
        self.archives('isa_l_rs_cauchy', 4, 2)
        code, _, err = self.rebuild(0, [1, 2, 3, 9])
        self.assertEqual(code, 2)
        self.assertIn('cannot open ' + self.path('a9'), err)
        code, _, err = self.rebuild(0, [1, 2, 3, 4], self.folder.name)
        self.assertEqual(code, 2)
        self.assertIn('not a regular file', err)
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
        self.assertIn('4 verified by their MD5', out)
        self.assertIn('its MD5 is', err)
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
