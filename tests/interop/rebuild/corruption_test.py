#!/usr/bin/python3
"""Survivors that are damaged on their disks: on other nodes, and on the very node that rebuilds."""

import os

from support import case, disks, objects, program, shuffled_rings

TARGET, CULPRIT = 'd1', 'd3'
CULPRIT_NODE = 3
OTHER_NODES = (1, 2, 4, 5, 6)


class DamagedSurvivors(case.InteropCase):
    """4+2 over six servers with one device each: every object has a fragment on the culprit."""

    options = {'servers': 6, 'devices': 6, 'part_power': 2, 'segment_bytes': 65536,
               'replication_concurrency_per_device': 8}

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(),
                                    [1, 1000, 65536, 65537, 140000, 200000, 270000, 400000]))

    def setUp(self):
        super().setUp()
        self.lab.wipe(TARGET)

    def culprit_files(self):
        return self.lab.object_files(CULPRIT)

    def damage_each(self, damage):
        for path in self.culprit_files():
            damage(path)

    def assert_right_and_named(self, nodes):
        """One pass: the target gets nothing wrong; only the culprit is blamed, in the log too."""
        made = self.run_pass(nodes)
        self.assert_nothing_wrong(TARGET)
        if program.IS_SWIFT:
            return
        named = made.bad_survivors()
        self.assertTrue(named, f'nobody was named\n{made.tail()}')
        for bad in named:
            self.assertTrue(self.is_culprit(bad['name']), bad)
        self.assertTrue(any(self.is_culprit(line) for line in made.log.splitlines()
                            if ' WARNING ' in line or ' ERROR ' in line), made.tail())

    @staticmethod
    def is_culprit(text):
        """Whether a text names the culprit, as a peer or, on its own node, as a path."""
        return (f'127.0.0.{CULPRIT_NODE}:{6200 + CULPRIT_NODE}/{CULPRIT}' in text
                or f'/{CULPRIT}/objects-1/' in text)

    def assert_healed(self):
        """Swift's auditor takes the damaged fragments away; then all comes back as it was."""
        self.lab.audit(CULPRIT_NODE)
        self.rebuild()

    def flip_payload(self, path):
        self.lab.corrupt(CULPRIT, path, offset=-1 + self.before[CULPRIT][path]['bytes'])

    def test_culprit_is_a_partner_of_the_target_somewhere(self):
        """Otherwise the tests of the rebuilding node itself would try nothing."""
        partners = set()
        for path in self.culprit_files():
            order = shuffled_rings.devices_of(self.lab, int(path.split('/')[1]))
            place = order.index(TARGET)
            partners |= {order[place - 1], order[(place + 1) % 6], order[(place + 3) % 6]}
        self.assertIn(CULPRIT, partners)

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_flipped_bit_on_another_node(self):
        self.damage_each(self.flip_payload)
        self.assert_right_and_named(OTHER_NODES)
        self.assert_healed()

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_flipped_bit_on_the_rebuilding_node_itself(self):
        self.damage_each(self.flip_payload)
        self.assert_right_and_named([CULPRIT_NODE])
        self.assert_healed()

    @case.fragmend_only('Swift gives up the session')
    def test_damaged_header_on_another_node(self):
        self.damage_each(lambda path: self.lab.corrupt(CULPRIT, path, offset=2))
        self.assert_right_and_named(OTHER_NODES)
        self.assert_healed()

    @case.fragmend_only('Swift gives up the session')
    def test_damaged_header_on_the_rebuilding_node_itself(self):
        self.damage_each(lambda path: self.lab.corrupt(CULPRIT, path, offset=2))
        self.assert_right_and_named([CULPRIT_NODE])
        self.assert_healed()

    def test_truncated_files(self):
        self.damage_each(lambda path: os.truncate(self.path_of(path),
                                                  self.before[CULPRIT][path]['bytes'] // 2))
        for nodes in (OTHER_NODES, [CULPRIT_NODE]):
            self.run_pass(nodes)
            self.assert_nothing_wrong(TARGET)
        self.assert_healed()

    def test_unreadable_metadata(self):
        self.damage_each(lambda path: os.setxattr(self.path_of(path), 'user.swift.metadata',
                                                  b'garbage'))
        for nodes in (OTHER_NODES, [CULPRIT_NODE]):
            self.run_pass(nodes)
            self.assert_nothing_wrong(TARGET)
        self.assert_healed()

    @case.fragmend_only('liberasurecode decodes from one fragment less without a word')
    def test_bytes_of_another_index_under_a_valid_checksum(self):
        """What MD5 cannot see: the file is consistent, but it is a neighbour's fragment."""
        from swift.obj.diskfile import read_metadata, write_metadata
        by_object = {fragment.path: fragments
                     for fragments in disks.fragments_by_object(self.before).values()
                     for fragment in fragments if fragment.device == CULPRIT}
        for path, fragments in by_object.items():
            other = next(fragment for fragment in fragments
                         if fragment.device not in (CULPRIT, TARGET))
            with open(os.path.join(self.lab.device_path(other.device), other.path), 'rb') as file:
                content, etag = file.read(), read_metadata(file)['ETag']
            with open(self.path_of(path), 'r+b') as file:
                file.write(content)
                metadata = read_metadata(file)
                metadata['ETag'] = etag
                write_metadata(file, metadata)
        for nodes in (OTHER_NODES, [CULPRIT_NODE]):
            self.assert_right_and_named(nodes)
            self.lab.wipe(TARGET)
        self.rebuild(self.before_of(TARGET))

    def path_of(self, path):
        return os.path.join(self.lab.device_path(CULPRIT), path)


if __name__ == '__main__':
    case.main()
