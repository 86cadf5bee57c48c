#!/usr/bin/python3
"""What the present configuration or a present client would not make: another segment size, the old
CRC, folded metadata."""

import os
import re
import shutil
import unittest.mock

from support import case, disks, objects, program, shuffled_rings

LEGACY_CRC = 'LIBERASURECODE_WRITE_LEGACY_CRC'
OLD_SEGMENT_BYTES = 65536
FOLD = re.compile('(?:[ \t]*(?:\r\n|\r|\n)[ \t]+)+')


class OtherSegmentSize(case.InteropCase):
    """The operator changed ec_object_segment_size; the objects are from before.

    The servers run on with the old configuration: with the new one they would quarantine the old
    objects on every read.
    """

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': OLD_SEGMENT_BYTES}

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.sized(policy, [0, 1, 1000, 65536, 65537, 131072, 200000, 400001]))

    def with_segment_bytes(self, number):
        path = self.lab.layout.path('etc', 'swift.conf')
        with open(path, encoding='latin-1') as file:
            before = file.read()
        self.addCleanup(_write, path, before)
        changed = before.replace(f'= {OLD_SEGMENT_BYTES}', f'= {number}')
        self.assertNotEqual(before, changed)
        _write(path, changed)

    @case.beyond_swift('it reads pieces of the configured size, not of the object\'s')
    def test_larger_now(self):
        self.with_segment_bytes(objects.MIB)
        self.lab.wipe('d3')
        self.rebuild()

    @case.beyond_swift('it reads pieces of the configured size, not of the object\'s')
    def test_smaller_now(self):
        self.with_segment_bytes(16384)
        self.lab.wipe('d3')
        self.rebuild()


def _write(path, text):
    with open(path, 'w', encoding='latin-1') as out:
        out.write(text)


class FoldedMetadata(case.InteropCase):
    """A client's header went on in the next line: Swift stores the line end, and sends it again."""

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': OLD_SEGMENT_BYTES}

    @classmethod
    def fill(cls):
        policy, at = cls.lab.spec.policy(), objects.base_time()
        # All that http.client lets a proxy send: a line end of any kind, and a blank behind it.
        ends = ['\r\n ', '\n\t', '\r ', ' \r\n \r\n\t']
        folded = [objects.history(policy, f'folded {number}', objects.put(
            at, 3000 + number, meta={'Folded': f'one{end}two: 2'}))
                  for number, end in enumerate(ends)]
        posted = [objects.history(policy, f'posted {number}', objects.put(at, 3000 + number),
                                  {'op': 'post', 'at': at + 5, 'meta': {'Folded': f'one{end}two'}})
                  for number, end in enumerate(ends)]
        cls.lab.write(folded + posted + objects.sized(policy, [0, 1000, 65537]))

    def unfolded(self, device):
        """What the device held, with one blank for each end of a line."""
        def joined(value):
            return FOLD.sub(' ', value) if isinstance(value, str) else value
        return {path: {**entry, 'metadata': {key: joined(value) for key, value
                                             in (entry['metadata'] or {}).items()}}
                for path, entry in self.before[device].items()}

    @case.beyond_swift('its sessions end at the first line that is no header')
    def test_wiped_device(self):
        self.lab.wipe('d3')
        self.rebuild({**self.before, 'd3': self.unfolded('d3')})

    @case.fragmend_only('options of a run belong to the lab\'s own interface')
    def test_fragments_on_handoffs(self):
        for path in self.lab.object_files('d3'):
            partition = int(path.split('/')[1])
            at_home = shuffled_rings.devices_of(self.lab, partition)
            handoff = next(name for name in self.lab.layout.device_names if name not in at_home)
            target = os.path.join(self.lab.device_path(handoff), path)
            folder = os.path.dirname(os.path.join(self.lab.device_path('d3'), path))
            shutil.copytree(folder, os.path.dirname(target))
            disks.forget_hashes(self.lab, handoff, path)
        self.lab.wipe('d3')
        made = self.passes_until_done(options={'handoffs_only': 'true'})
        self.assertEqual([], self.differences({**self.before, 'd3': self.unfolded('d3')}),
                         made.tail())


class LegacyCrc(case.InteropCase):
    """write_legacy_ec_crc, for clusters that still have nodes with liberasurecode before 1.6.2."""

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': OLD_SEGMENT_BYTES,
               'object_conf': {'object-reconstructor': {'write_legacy_ec_crc': 'true'}}}

    @classmethod
    def fill(cls):
        histories = objects.sized(cls.lab.spec.policy(), [0, 1, 65536, 65537, 200000])
        with unittest.mock.patch.dict(os.environ, {LEGACY_CRC: '1'}):
            cls.lab.write(histories)

    def test_wiped_device(self):
        self.lab.wipe('d3')
        self.rebuild()

    @case.fragmend_only('options of a run belong to the lab\'s own interface')
    def test_present_crc_from_legacy_sources(self):
        """Switched off, headers differ from the originals, but every reader takes both."""
        self.lab.wipe('d3')
        self.passes_until_done(options={'write_legacy_ec_crc': 'false'})
        self.assertEqual(self.lab.object_files('d3'),
                         sorted(path for path in self.before['d3'] if disks.DATA_FILE.match(path)))
        quarantined, audit = self.lab.audit(3)
        self.assertEqual(0, quarantined, audit.output)


if __name__ == '__main__':
    case.main()
