#!/usr/bin/python3
"""Receivers whose locks are taken, and many senders at one device that lets in one at a time."""

import contextlib
import fcntl
import os
import re
import threading

from support import case, disks, objects, program

TARGET = 'd1'
HOLD_S = 3.0
ASKED = re.compile(rf'"(?:REPLICATE|SSYNC) /{TARGET}/')


class Contention(case.InteropCase):
    """4+2 over six servers; the wiped device takes one session at a time, as Swift's default is."""

    options = {'servers': 6, 'devices': 6, 'part_power': 4, 'segment_bytes': 65536,
               'log_level': 'DEBUG',
               'replication_concurrency_per_device': 1,
               'object_conf': {'app:object-server': {'replication_lock_timeout': 4},
                               'object-reconstructor': {'concurrency': 8}}}

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), range(1, 200000, 4000)))

    def setUp(self):
        super().setUp()
        self.lab.wipe(TARGET)

    @contextlib.contextmanager
    def locked(self, *paths):
        """Holds Swift's lock files of the target device, as another session would."""
        with contextlib.ExitStack() as stack:
            for path in paths:
                full = os.path.join(self.lab.device_path(TARGET), path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                file = stack.enter_context(open(full, 'ab'))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def partition_locks(self):
        return [f'objects-1/{partition}/.lock-replication' for partition in self.partitions()]

    def partitions(self):
        return sorted({path.split('/')[1] for path in self.before[TARGET]
                       if disks.DATA_FILE.match(path)})

    def test_all_nodes_push_to_one_device(self):
        self.rebuild()

    def test_device_lock_is_held_for_a_while(self):
        self.held_for_a_while('.lock')

    def test_partition_lock_is_held_for_a_while(self):
        self.held_for_a_while(*self.partition_locks())

    def held_for_a_while(self, *paths):
        node = self.lab.layout.node_of(TARGET).number
        began, over = len(self.lab.log_text(node)), threading.Event()
        released = contextlib.ExitStack()
        released.enter_context(self.locked(*paths))

        def release():
            """A while after the first partner has asked the device for something."""
            while not ASKED.search(self.lab.log_text(node), began):
                if over.wait(0.05):
                    return
            over.wait(HOLD_S)
            released.close()
        releaser = threading.Thread(target=release)
        releaser.start()
        try:
            self.rebuild()
        finally:
            over.set()
            releaser.join()
            released.close()

    def test_partition_locks_are_held_for_the_whole_pass(self):
        held = self.partition_locks()[:3]
        with self.locked(*held):
            made = self.run_pass()
            self.assert_nothing_wrong(TARGET)
            if not program.IS_SWIFT:
                self.assertIn(program.WORK_REMAINS, made.exit_codes.values(), made.tail())
            numbers = {path.split('/')[1] for path in held}
            left = {line.split('/')[1] for line in self.differences(self.before_of(TARGET))}
            self.assertLessEqual(numbers, left)
            self.assertTrue(set(self.partitions()) - left, 'held locks must not stop the rest')
        self.rebuild()


if __name__ == '__main__':
    case.main()
