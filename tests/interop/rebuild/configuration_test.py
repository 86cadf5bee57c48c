#!/usr/bin/python3
"""Wrong configurations: refused with exit code 2 and a message that shows where and what."""

import os

from support import case, objects, program

CONF = '/etc/swift/object-server/1.conf'
SWIFT_CONF = '/etc/swift/swift.conf'


class WrongConfiguration(case.InteropCase):
    """A lab whose servers need not even run: nothing may be sent, and nothing touched on disk."""

    options = {'servers': 2, 'devices': 6, 'part_power': 1}
    restores = False
    starts = False

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [0, 1000]))

    def setUp(self):
        super().setUp()
        for name in ('swift.conf', 'object-server/1.conf', 'object-1.ring.gz'):
            path = self.lab.layout.path('etc', name)
            with open(path, 'rb') as file:
                self.addCleanup(self._write, name, file.read())

    def _write(self, name, content):
        with open(self.lab.layout.path('etc', name), 'wb') as out:
            out.write(content)

    def edit(self, name, old, new):
        path = self.lab.layout.path('etc', name)
        with open(path, 'rb') as file:
            content = file.read()
        self.assertIn(old.encode(), content)
        self._write(name, content.replace(old.encode(), new.encode()))

    def add_option(self, line):
        self.edit('object-server/1.conf', '[object-reconstructor]\n',
                  f'[object-reconstructor]\n{line}\n')

    def assert_refused(self, *words, argv=None):
        if argv is None:
            argv = program.command() + [CONF] + (['once'] if program.IS_SWIFT else ['--once'])
        result = self.lab.run(argv, timeout_s=30)
        if program.IS_SWIFT:
            self.assertNotEqual(0, result.exit_code, result.output)
        else:
            self.assertEqual(program.USAGE, result.exit_code, result.output)
            # The message may be cut into lines, but not into log lines of a long story.
            self.assertLessEqual(len(result.output.splitlines()), 6, result.output)
            for word in words:
                self.assertIn(word, result.output)
        self.assert_as()

    def test_values_that_are_not_what_they_should_be(self):
        for option, value in (('concurrency', 'many'), ('concurrency', '4 ; four'),
                              ('http_timeout', '60.5'), ('node_timeout', 'soon'),
                              ('reconstructor_workers', 'x'), ('quarantine_threshold', '-1'),
                              ('request_node_count', 'lots'), ('max_objects_per_revert', '-3')):
            with self.subTest(option=option, value=value):
                # Swift's parser refuses an option given twice; what the lab wrote goes first.
                self.add_option(f'{option} = {value}')
                self.assert_refused(CONF, 'object-reconstructor', option, value)
                self.edit('object-server/1.conf', f'{option} = {value}\n', '')

    def test_option_given_twice(self):
        self.add_option('concurrency = 1\nconcurrency = 2')
        self.assert_refused(CONF, 'concurrency')

    def test_missing_section(self):
        self.edit('object-server/1.conf', '[object-reconstructor]', '[object-elsewhere]')
        self.assert_refused(CONF, 'object-reconstructor')

    def test_missing_file(self):
        self.assert_refused('/etc/swift/nowhere.conf',
                            argv=program.command() + ['/etc/swift/nowhere.conf'])

    def test_no_file_named(self):
        self.assert_refused(argv=program.command())

    @case.fragmend_only('Swift ignores what it does not know')
    def test_partitions_that_are_no_numbers(self):
        self.assert_refused('seven', argv=program.command() + [CONF, '--once', '-p', '1,seven'])

    def test_missing_ring(self):
        os.unlink(self.lab.layout.path('etc', 'object-1.ring.gz'))
        self.assert_refused('/etc/swift/object-1.ring.gz')

    def test_malformed_ring(self):
        self._write('object-1.ring.gz', b'this is not a ring')
        self.assert_refused('/etc/swift/object-1.ring.gz')

    def test_truncated_ring(self):
        with open(self.lab.layout.path('etc', 'object-1.ring.gz'), 'rb') as file:
            self._write('object-1.ring.gz', file.read()[:-40])
        self.assert_refused('/etc/swift/object-1.ring.gz')

    def test_ring_with_too_few_replicas(self):
        self.edit('swift.conf', 'ec_num_parity_fragments = 2', 'ec_num_parity_fragments = 1')
        self.assert_refused('object-1.ring.gz')

    def test_unknown_ec_type(self):
        self.edit('swift.conf', 'isa_l_rs_cauchy', 'isa_l_rs_nonsense')
        self.assert_refused(SWIFT_CONF, 'storage-policy:1', 'ec_type', 'isa_l_rs_nonsense')

    def test_fragment_count_that_is_no_number(self):
        self.edit('swift.conf', 'ec_num_data_fragments = 4', 'ec_num_data_fragments = four')
        self.assert_refused(SWIFT_CONF, 'storage-policy:1', 'ec_num_data_fragments', 'four')

    def test_unknown_option_of_a_policy(self):
        self.edit('swift.conf', 'ec_num_data_fragments = 4',
                  'ec_num_data_fragments = 4\nec_shine = yes')
        self.assert_refused(SWIFT_CONF, 'storage-policy:1', 'ec_shine')

    def test_missing_hash_section(self):
        self.edit('swift.conf', '[swift-hash]', '[swift-hush]')
        self.assert_refused(SWIFT_CONF, 'swift-hash')


if __name__ == '__main__':
    case.main()
