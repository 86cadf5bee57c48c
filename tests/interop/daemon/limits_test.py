#!/usr/bin/python3
"""Limits as the wire shows them: new ones hold within two seconds, whoever brings them."""

import signal
import time

from daemons import Daemon, wait_until

from support import case, objects, program  # noqa: E402  (daemons finds it)

NODE = 1
WIPED = ('d3', 'd4')
MIB = objects.MIB
EFFECTIVE_S = 2.0
WINDOW_S = 3.0
# On the wire, for each byte of survivors that other nodes send: a third of one goes out in bodies.
# For each byte that goes out, three come in. And headers.
WIRE_BYTES = {'read': 1.4, 'send': 4.2}
# What was read or sent before and is still on its way: buffers of open streams, the one object a
# session that is read ahead of the one being sent, whatever the limit of sending.
UNDER_WAY = 16 * MIB


@case.fragmend_only('Swift has no such thing')
class LimitsOnTheWire(case.InteropCase):
    """One node rebuilds; everything that crosses the lab's loopback is its doing."""

    options = {'servers': 4, 'devices': 8, 'part_power': 3, 'segment_bytes': MIB}

    @classmethod
    def fill(cls):
        sizes = [4 * MIB + number for number in range(48)]
        cls.lab.write(objects.sized(cls.lab.spec.policy(), sizes))

    def start(self, direction):
        for device in WIPED:
            self.lab.wipe(device)
        self.direction = direction
        options = {f'fragmend_{direction}_limit': '2M', 'interval': 60, 'fragmend_read_ahead': 1}
        self.daemon = Daemon(self.lab, NODE, options)
        self.addCleanup(self.daemon.end, signal.SIGKILL)

    def moved(self):
        with open(f'/proc/{self.daemon.pid}/net/dev', encoding='ascii') as file:
            return next(int(line.split(':')[1].split()[0]) for line in file if 'lo:' in line)

    def bytes_per_s(self, window_s=WINDOW_S):
        """Over at least that long; never more than it was, however late somebody looks."""
        began, before = time.monotonic(), self.moved()
        wait_until(lambda: time.monotonic() > began + window_s, 'time to pass')
        return (self.moved() - before) / (time.monotonic() - began)

    def assert_keeps(self, limit):
        wire = limit * WIRE_BYTES[self.direction]
        self.assertLess(self.bytes_per_s(), wire + UNDER_WAY / WINDOW_S)
        self.assertFalse(self.daemon.lines('Object reconstruction complete'), 'nothing was limited')

    def assert_keeps_soon(self, limit):
        said = time.monotonic()
        wait_until(lambda: time.monotonic() > said + EFFECTIVE_S, 'the limit to hold')
        self.assert_keeps(limit)

    def limit(self, value):
        words = f'{self.direction}_limit={value}'
        made = self.lab.run([program.PROGRAM, 'limit', words, self.daemon.conf])
        self.assertEqual(0, made.exit_code, made.output)

    def play(self, direction):
        self.start(direction)
        wait_until(lambda: self.moved() > MIB, 'the first survivors')
        self.assert_keeps(2 * MIB)
        before = 2 * MIB * WIRE_BYTES[direction]
        self.limit('16M')
        wait_until(lambda: self.bytes_per_s(0.5) > before * 1.5, 'more than before')
        self.limit('1M')
        self.assert_keeps_soon(MIB)
        option = f'fragmend_{direction}_limit'
        self.daemon.configure(f'{option} = 2M', f'{option} = 1500K')
        self.limit('16M')
        self.daemon.send(signal.SIGHUP)
        self.assert_keeps_soon(1500 * 1024)
        self.limit('0')
        self.daemon.wait_for('Object reconstruction complete', limit_s=60)
        self.assertEqual(0, self.daemon.end().exit_code)
        self.rebuild()

    def test_reading(self):
        self.play('read')

    def test_sending(self):
        self.play('send')


if __name__ == '__main__':
    case.main()
