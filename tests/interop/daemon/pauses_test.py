#!/usr/bin/python3
"""A pause outlives the process that was told: SIGHUP, dead workers, devices dealt out again."""

import json
import os
import signal

from daemons import Daemon, wait_until

from support import case, objects, program, shuffled_rings  # noqa: E402  (daemons finds it)

NODE = 1
ITS_DEVICES = ('d1', 'd5')
STARTS = r'NOTICE object-reconstructor: Starting \d+$'
RECALLS = r'NOTICE object-reconstructor: .*Still paused, until it is resumed: '


@case.fragmend_only('Swift has no such thing')
class Pauses(case.InteropCase):
    """Four servers; node 1 has the devices d1 and d5."""

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': 65536}

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [1000 + number for number in range(16)]))

    def setUp(self):
        super().setUp()
        self.ring_path = self.lab.layout.path('etc', 'object-1.ring.gz')
        self.partner, self.partition = self.find_partner()
        self.assertTrue(self.fragments())

    def find_partner(self):
        """A device of another node beside one of ours, and the partition."""
        for partition in range(1 << self.lab.spec.part_power):
            row = shuffled_rings.devices_of(self.lab, partition)
            for one, other in zip(row, row[1:]):
                if one in ITS_DEVICES and other not in ITS_DEVICES:
                    return other, partition
        raise AssertionError('no partner in the ring')

    def start(self, **options):
        self.daemon = Daemon(self.lab, NODE, {'interval': 0.2, **options})
        self.addCleanup(self.daemon.end, signal.SIGKILL)
        for index in range(options.get('reconstructor_workers', 0)):
            self.daemon.wait_for(rf'\[worker {index + 1}/2 pid=\d+\] Object reconstruction complete')
        self.daemon.wait_for('Object reconstruction complete')

    def ask(self, operation, *words):
        made = self.lab.run([program.PROGRAM, operation, *words, self.daemon.conf, '--json'])
        return made.output if made.exit_code == 0 else None

    def order(self, operation, *words):
        self.assertIsNotNone(self.ask(operation, *words), operation)

    def told(self):
        """The status of every process; nothing while none answers."""
        said = self.ask('status')
        return json.loads(said)['processes'] if said else []

    def fragments(self):
        """Of the partner's partition."""
        found = os.walk(os.path.join(self.lab.device_path(self.partner), 'objects-1',
                                     str(self.partition)))
        return [name for _root, _folders, names in found for name in names
                if name.endswith('.data')]

    def wait_for_paused(self, count):
        """Until that many processes stand before the first partition of a pass."""
        def stand_still():
            told = self.told()
            passes = [one['pass'] for one in told if one['state'] == 'paused' and 'pass' in one]
            return len(told) == len(passes) == count and told
        told = wait_until(stand_still, f'{count} paused processes in a pass')
        for one in told:
            self.assertEqual(0, one['pass']['partitions_done'])
            self.assertEqual(0, one['sessions']['in_use'])
        return told

    def pause(self, count):
        """From the beginning of a pass on."""
        self.order('pause')
        self.order('drain')
        return self.wait_for_paused(count)

    def start_anew(self, before, after):
        lives = len(self.daemon.lines(STARTS))
        self.daemon.configure(before, after)
        self.daemon.send(signal.SIGHUP)
        self.daemon.wait_for(STARTS, lives + 1)

    def assert_it_works(self):
        wait_until(self.fragments, 'a fragment')
        states = {one['state'] for one in self.told()}
        self.assertLessEqual(states, {'pass', 'sleeping'})

    def test_of_everything_and_a_device_outlives_a_hup(self):
        self.start()
        self.order('pause', '--device', 'd1')
        self.pause(1)
        self.lab.wipe(self.partner)
        self.start_anew('interval = 0.2', 'interval = 0.3')
        self.daemon.wait_for(RECALLS + '"everything; device d1"')
        self.assertEqual(['device d1'], self.wait_for_paused(1)[0]['paused'])
        # The pass that stands still would have had its chance.
        passes = len(self.daemon.lines('reconstruction complete'))
        self.order('drain')
        self.daemon.wait_for('reconstruction complete', passes + 1)
        self.assertEqual([], self.fragments())
        # What is resumed stays so.
        self.order('resume', '--device', 'd1')
        self.start_anew('interval = 0.3', 'interval = 0.4')
        self.daemon.wait_for(RECALLS + '"everything"')
        self.assertEqual([], self.wait_for_paused(1)[0]['paused'])
        self.order('resume')
        self.assert_it_works()
        self.start_anew('interval = 0.4', 'interval = 0.5')
        self.daemon.wait_for_pass()
        self.assertEqual(2, len(self.daemon.lines(RECALLS)))
        self.assertEqual(0, self.daemon.end().exit_code)
        # A plain stop is the end of it.
        self.start()
        self.assertEqual([], self.daemon.lines(RECALLS))

    def kill_one(self):
        before = self.daemon.workers
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(self.daemon.workers) == 2 and set(self.daemon.workers) != set(before),
                   'a new worker')

    def limits(self):
        return [one['throttle']['read_bytes_per_s']['total'] for one in self.told()]

    def test_of_workers_outlives_their_deaths_and_a_hup(self):
        self.start(reconstructor_workers=2, fragmend_read_limit='32M')
        self.pause(2)
        self.order('limit', 'read_limit=64M')
        self.lab.wipe(self.partner)
        self.kill_one()
        self.wait_for_paused(2)
        self.assertEqual([32 << 20] * 2, self.limits())
        self.start_anew('interval = 0.2', 'interval = 0.3')
        self.wait_for_paused(2)
        self.assertEqual([16 << 20] * 2, self.limits(), 'limits are those of the configuration')
        self.kill_one()
        self.wait_for_paused(2)
        passes = len(self.daemon.lines('reconstruction complete'))
        self.order('drain')
        self.daemon.wait_for('reconstruction complete', passes + 2)
        self.assertEqual([], self.fragments())
        self.order('limit', 'read_limit=64M')
        self.daemon.configure('fragmend_read_limit = 32M', 'fragmend_read_limit = 8M')
        self.daemon.send(signal.SIGHUP)
        wait_until(lambda: self.limits() == [4 << 20] * 2, 'the new limit')
        self.order('resume')
        recalled = len(self.daemon.lines(RECALLS))
        self.kill_one()
        wait_until(lambda: self.limits() == [4 << 20] * 2, 'both workers')
        self.assert_it_works()
        self.assertEqual(recalled, len(self.daemon.lines(RECALLS)))
        self.assertEqual(0, self.daemon.end().exit_code)

    def put_ring(self, ring):
        with open(self.ring_path + '.new', 'wb') as file:
            file.write(ring)
        os.rename(self.ring_path + '.new', self.ring_path)

    def rename_device(self, before, after):
        """The ring as it would be had the device another name."""
        from swift.common.ring import RingData
        ring = RingData.load(self.ring_path)
        next(one for one in ring.devs if one['device'] == before)['device'] = after
        ring.save(self.ring_path + '.new')
        os.rename(self.ring_path + '.new', self.ring_path)

    def test_of_a_device_outlives_devices_dealt_out_again(self):
        with open(self.ring_path, 'rb') as file:
            self.addCleanup(self.put_ring, file.read())
        self.start(reconstructor_workers=2, ring_check_interval=0.2)
        self.order('pause', '--device', 'd1')
        before = set(self.daemon.workers)
        self.rename_device('d5', 'd9')
        wait_until(lambda: len(self.daemon.workers) == 2 and not before & set(self.daemon.workers),
                   'new workers')
        wait_until(lambda: [one['paused'] for one in self.told()] == [['device d1']] * 2,
                   'both to leave the device out')
        self.order('resume', '--device', 'd1')
        self.assertEqual([[], []], [one['paused'] for one in self.told()])
        self.assertEqual(0, self.daemon.end().exit_code)


if __name__ == '__main__':
    case.main()
