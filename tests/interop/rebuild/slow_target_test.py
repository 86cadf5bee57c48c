#!/usr/bin/python3
"""A target whose sessions never end and never fail, beside one that works."""

import os
import shutil
import sys

from support import case, disks, objects, program, shuffled_rings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'daemon'))
from daemons import wait_until  # noqa: E402

# More partitions for the slow one than a pass has in flight.
SLOW, OTHER, HOLDER = 'd1', 'd2', 'd3'
IN_FLIGHT = 64
WAIT_S = 200  # Less than node_timeout.


class SlowTarget(case.InteropCase):
    """Fragments of two devices lie on a third one; 4+2 over twelve devices of six servers."""

    options = {'servers': 6, 'devices': 12, 'part_power': 9, 'fault_proxy': True,
               'object_conf': {'object-reconstructor': {'node_timeout': 300}}}

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), range(1, 701)))

    def hand_over(self, device):
        """Moves what the holder is no primary of from a device to it; the paths."""
        moved = []
        for path in self.lab.object_files(device):
            if HOLDER in shuffled_rings.devices_of(self.lab, int(path.split('/')[1])):
                continue
            folder = os.path.dirname(path)
            target = os.path.join(self.lab.device_path(HOLDER), folder)
            if os.path.exists(target):
                continue
            shutil.copytree(os.path.join(self.lab.device_path(device), folder), target)
            disks.forget_hashes(self.lab, HOLDER, path)
            shutil.rmtree(os.path.join(self.lab.device_path(device), folder))
            disks.forget_hashes(self.lab, device, path)
            moved.append(path)
        return moved

    @case.fragmend_only('Swift works on one partition at a time')
    def test_a_slow_target_holds_nobody_else_up(self):
        nodes = [self.lab.layout.node_of(device) for device in (SLOW, OTHER, HOLDER)]
        self.assertEqual(3, len({node.number for node in nodes}))
        slow, other = self.hand_over(SLOW), self.hand_over(OTHER)
        self.assertGreater(len({path.split('/')[1] for path in slow}), IN_FLIGHT)
        self.assertGreater(len(other), IN_FLIGHT)
        self.lab.fault(server=nodes[0].number, action='hang', verb='SSYNC')
        run = self.lab.popen([*program.command(), self.lab._reconstructor_conf(nodes[2].number, {}),
                              '--once', '-v', '--json', '--devices', HOLDER])
        there = self.lab.device_path(OTHER)
        wait_until(lambda: all(os.path.exists(os.path.join(there, path)) for path in other),
                   'what the other device lacks', WAIT_S)
        here = self.lab.device_path(SLOW)
        self.assertFalse(any(os.path.exists(os.path.join(here, path)) for path in slow))
        self.lab.clear_faults()
        run.wait(WAIT_S)
        self.rebuild()


if __name__ == '__main__':
    case.main()
