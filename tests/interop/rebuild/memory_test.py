#!/usr/bin/python3
"""A large object is rebuilt in little memory.

256 MiB (four times what the program may use for everything), or 1 GiB with FRAGMEND_LAB_FULL=1.
"""

import os

from support import case, objects, program

FULL = os.environ.get('FRAGMEND_LAB_FULL') == '1'
OBJECT_BYTES = (1024 if FULL else 256) * objects.MIB
PEAK_KIB_MAX = 200 * 1024


class LargeObject(case.InteropCase):
    """4+2 with Swift's usual segment size; on disk, since the fragments are many."""

    options = {'servers': 3, 'devices': 6, 'part_power': 1, 'tmpfs': False}
    restores = False

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [OBJECT_BYTES]))

    def test_peak_memory_while_rebuilding(self):
        self.lab.wipe('d1')
        passes = self.rebuild()
        for made in passes:
            for node, result in made.results.items():
                self.assertLess(result.peak_rss_kib, PEAK_KIB_MAX, f'node {node}\n{made.tail()}')
        if not program.IS_SWIFT:
            self.assertGreaterEqual(sum(made.total('bytes_rebuilt') for made in passes),
                                    OBJECT_BYTES // 4)


if __name__ == '__main__':
    case.main()
