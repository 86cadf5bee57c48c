#!/usr/bin/python3
"""Lost devices: wiped, unmounted, stale; a server down; single fragments; too few survivors."""

import os

from support import case, disks, objects, program

TOO_FEW = 'Unable to get enough responses'


class LostDevices(case.InteropCase):
    """4+2 over six servers with two devices each, so that every fragment index has handoffs."""

    options = {'servers': 6, 'devices': 12, 'part_power': 3, 'segment_bytes': 65536}

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        changing = objects.sized(policy, range(100, 2100, 200), container='changing')
        cls.lab.write(changing)
        cls.early = disks.SavedDisks(cls.lab, 'early', ['d2'])
        at = objects.base_time() + 600
        for number, changed in enumerate(changing):
            changed['events'] = [({'op': 'delete', 'at': at},
                                  {'op': 'post', 'at': at, 'meta': {'New': 'yes'}},
                                  objects.put(at, 4000 + number))[number % 3]]
        cls.lab.write(changing + objects.peculiar(policy)
                      + objects.sized(policy, [*objects.boundary_sizes(policy), objects.MIB,
                                               objects.MIB * 7 // 2]))

    def test_one_wiped_device(self):
        self.lab.wipe('d1')
        self.rebuild()

    def test_two_wiped_devices(self):
        self.lab.wipe('d3')
        self.lab.wipe('d4')
        self.rebuild()

    def test_one_lost_fragment_of_every_object(self):
        taken = disks.fragments_by_object(self.before)
        for number, fragments in enumerate(taken.values()):
            disks.lose(self.lab, fragments[number % len(fragments)])
        self.rebuild()

    def test_device_that_slept_through_changes(self):
        self.early.restore()
        self.assertTrue(self.differences(self.before_of('d2')))
        self.rebuild()

    def test_unmounted_device_is_rebuilt_to_handoffs_and_taken_back(self):
        self.lab.unmount('d1')
        self.addCleanup(self._mount, 'd1')
        for _ in range(self.passes_max):
            self.run_pass()
            elsewhere = {}
            for device, manifest in disks.manifests(self.lab).items():
                if device != 'd1':
                    for path in set(manifest) - set(self.before[device]):
                        elsewhere[path] = manifest[path]
            lines = self.compare(self.before['d1'], elsewhere)
            if not lines:
                break
        self.assertEqual([], lines, self.last_pass.tail())
        self._mount('d1')
        self.give_back_handoffs()

    def give_back_handoffs(self):
        """Passes until the device has its own again, and nobody else has."""
        self.rebuild()

    def _mount(self, device):
        if device not in self.lab.status()['mounted']:
            self.lab.mount(device)

    def test_server_down_beside_a_wiped_device(self):
        self.lab.kill(6)
        self.addCleanup(self._start, 6)
        self.lab.wipe('d1')
        self.rebuild(nodes=range(1, 6),
                     exit_codes=(program.DONE, program.WORK_REMAINS))
        self._start(6)
        self.rebuild()

    def _start(self, node):
        if 'pid' not in self.lab.status()['processes'].get(f'object-server-{node}', {}):
            self.lab.start(node)

    def test_too_few_survivors_stop_nothing_else(self):
        # Of an empty object any fragment is known to be empty: it may come back whatever is left.
        taken = [fragments for fragments in disks.fragments_by_object(self.before).values()
                 if self.before[fragments[0].device][fragments[0].path]['bytes']]
        doomed, others = taken[:3], taken[3:]
        gone = set()
        for fragments in doomed:
            for fragment in fragments[1:1 + self.policy.m + 1]:
                disks.lose(self.lab, fragment)
                gone.add((fragment.device, os.path.dirname(fragment.path)))
        for fragments in others[::5]:
            disks.lose(self.lab, fragments[2])
        expected = {device: {path: entry for path, entry in manifest.items()
                             if (device, os.path.dirname(path)) not in gone}
                    for device, manifest in self.before.items()}
        passes = self.rebuild(expected, exit_codes=(program.DONE, program.UNRECOVERABLE))
        for fragments in doomed:
            name = disks.name_of(self.before, fragments[0])
            self.assertTrue(any(TOO_FEW in line for made in passes
                                for line in self._lines_about(made, name)),
                            f'no clear error about {name}\n{passes[0].tail()}')
        if not program.IS_SWIFT:
            self.assertIn(program.UNRECOVERABLE, passes[-1].exit_codes.values())
            self.assertTrue(any(summary['unrecoverable']
                                for summary in passes[-1].summaries.values()))

    @staticmethod
    def _lines_about(made, name):
        return [line for line in made.log.splitlines() if name in line]


if __name__ == '__main__':
    case.main()
