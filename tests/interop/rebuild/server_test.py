#!/usr/bin/python3
"""`fragmend server` in place of Swift's object servers: rebuilds by either reconstructor."""

import os

from support import case, disks, objects, program

OURS = [program.PROGRAM, 'server'] if not program.IS_SWIFT else None


class ServedByFragmend(case.InteropCase):
    """4+2 over six servers; the numbers in `ours` are served by Fragmend, the others by Swift."""

    options = {'servers': 6, 'devices': 12, 'part_power': 3, 'segment_bytes': 65536}
    starts = False
    ours = (1, 2, 3, 4, 5, 6)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for node in cls.lab.layout.nodes:
            cls.lab.start(node.number, OURS if node.number in cls.ours else None)

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.peculiar(policy)
                      + objects.sized(policy, [*range(100, 2100, 100), 0, 1, 65535, 65536, 65537,
                                               objects.MIB, objects.MIB * 7 // 2]))

    def both_rebuild(self, damage):
        """The same damage, mended by Swift's reconstructor and by ours."""
        for by_swift in (True, False):
            self._saved.restore()
            damage()
            for _ in range(self.passes_max):
                self.last_pass = program.run_pass(self.lab, program_is_swift=by_swift)
                lines = [line for device, manifest in self.before.items()
                         for line in case.compare(manifest, self.lab.snapshot(device),
                                                  lambda path: False, garbled_text_ok=by_swift)]
                if not lines:
                    break
            self.assertEqual([], lines[:12],
                             f'swift={by_swift}: {len(lines)} differ\n{self.last_pass.tail()}')

    @case.fragmend_only('there is no server of ours then')
    def test_one_wiped_device(self):
        self.both_rebuild(lambda: self.lab.wipe('d1'))

    @case.fragmend_only('there is no server of ours then')
    def test_two_wiped_devices(self):
        def damage():
            self.lab.wipe('d2')
            self.lab.wipe('d7')
        self.both_rebuild(damage)

    @case.fragmend_only('there is no server of ours then')
    def test_single_fragments(self):
        def damage():
            for device in ('d3', 'd8'):
                for path in self.lab.object_files(device)[::3]:
                    os.unlink(os.path.join(self.lab.device_path(device), path))
                    disks.forget_hashes(self.lab, device, path)
        self.both_rebuild(damage)

    @case.fragmend_only('there is no server of ours then')
    def test_damage_at_rest_is_found_while_it_is_served(self):
        path = next(path for path in self.lab.object_files('d4')
                    if os.path.getsize(os.path.join(self.lab.device_path('d4'), path)) > 50000)
        self.lab.corrupt('d4', path)
        self.lab.wipe('d1')
        self.rebuild()


class ServedByBoth(ServedByFragmend):
    """Half of the nodes still run Swift's object server."""

    ours = (1, 3, 5)


if __name__ == '__main__':
    case.main()
