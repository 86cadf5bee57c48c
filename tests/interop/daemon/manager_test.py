#!/usr/bin/python3
"""Swift's own manager (swift-init) starts, asks, restarts and stops the drop-in on its PATH."""

import os
import re

from daemons import wait_until

from support import ROOT, case, objects, program  # noqa: E402  (daemons finds it)

DRIVER = os.path.join(ROOT, 'tests', 'interop', 'daemon', 'manager_driver.py')
START_LIMIT_S = 60.0


class ManagedDropIn(case.InteropCase):
    """Three servers, so three configuration files and three daemons."""

    options = {'servers': 3, 'devices': 6, 'part_power': 1, 'segment_bytes': 65536,
               'object_conf': {'object-reconstructor': {'conn_timeout': 5, 'interval': 1}}}
    restores = False

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [1000]))
        # The manager asks /proc about process ids of the lab.
        cls.bin = cls.lab.layout.path('scratch', 'bin')
        os.makedirs(cls.bin, exist_ok=True)
        target = '/usr/bin/swift-object-reconstructor' if program.IS_SWIFT else program.PROGRAM
        os.symlink(os.path.abspath(target), os.path.join(cls.bin, 'swift-object-reconstructor'))

    def setUp(self):
        super().setUp()
        self.run_dir = self.lab.layout.path('scratch', f'run-{self.id().rpartition(".")[2]}')
        os.makedirs(self.run_dir)
        self.addCleanup(self.manage, 'kill')

    def manage(self, command, *options):
        """Runs one command of the manager; (its status, what it printed, seconds)."""
        made = self.lab.run(['/usr/bin/python3', '-W', 'ignore', DRIVER, self.run_dir, command,
                             *options], 120,
                            env={'PATH': f'{self.bin}:{os.environ["PATH"]}'})
        took = re.search(r'took ([\d.]+) s$', made.output.strip())
        self.assertTrue(took, made.output)
        return made.exit_code, made.output, float(took[1])

    def pids(self):
        """{number of the server: process id inside the lab}."""
        folder = os.path.join(self.run_dir, 'object-reconstructor')
        held = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding='ascii') as file:
                held[int(name.removesuffix('.pid'))] = int(file.read())
        return held

    def test_start_status_restart_stop(self):
        status, said, took = self.manage('start')
        self.assertEqual(0, status, said)
        self.assertLess(took, START_LIMIT_S, 'the manager reads our output until we close it')
        pids = self.pids()
        self.assertEqual({1, 2, 3}, set(pids))
        status, said, _took = self.manage('status')
        self.assertEqual(0, status, said)
        for number, pid in pids.items():
            self.assertIn(f'object-reconstructor running ({pid} - '
                          f'/etc/swift/object-server/{number}.conf)', said)
        wait_until(lambda: 'Object reconstruction complete.' in self.lab.log_text(2), 'a pass')
        # `reload` is the same for a daemon, but forgets the folder of the pid files.
        status, said, _took = self.manage('restart')
        self.assertEqual(0, status, said)
        self.assertEqual(3, len(set(self.pids().values()) - set(pids.values())), said)
        # Within the time that the manager gives them.
        status, said, _took = self.manage('stop')
        self.assertEqual(0, status, said)
        self.assertEqual({}, self.pids())
        self.assertEqual(1, self.manage('status')[0])

    def test_second_start_is_refused_and_a_dead_one_is_found_out(self):
        self.manage('start', 'number=2')
        first = self.pids()
        self.assertEqual({2}, set(first))
        _status, said, _took = self.manage('start', 'number=2')
        self.assertIn('already started', said)
        self.assertEqual(first, self.pids())
        self.lab.run(['kill', '-9', str(first[2])])
        status, said, _took = self.manage('status')
        self.assertEqual(1, status, said)
        status, said, _took = self.manage('start', 'number=2')
        self.assertEqual(0, status, said)
        self.assertNotEqual(first, self.pids())
        status, said, _took = self.manage('restart', 'number=2')
        self.assertEqual(0, status, said)
        self.assertEqual(0, self.manage('stop')[0])

    def test_once_waits_for_the_pass(self):
        before = self.lab.log_text(1).count('complete (once).')
        status, said, _took = self.manage('once')
        self.assertEqual(0, status, said)
        wait_until(lambda: self.lab.log_text(1).count('complete (once).') == before + 1,
                   'the line of one pass')

    def test_children_are_workers_that_come_back(self):
        for number in (1, 2, 3):
            path = self.lab.layout.path('etc', 'object-server', f'{number}.conf')
            with open(path, encoding='latin-1') as file:
                text = file.read()
            self.addCleanup(self._write, path, text)
            self._write(path, text.replace('interval = 1', 'interval = 1\nreconstructor_workers = 2'))
        self.assertEqual(0, self.manage('start')[0])
        workers = wait_until(self.workers, 'all workers')
        status, said, _took = self.manage('kill_child_pids')
        self.assertEqual(0, status, said)
        wait_until(lambda: len(self.workers() - workers) == 6, 'new workers')
        # Within the time that the manager gives them.
        status, said, _took = self.manage('stop')
        self.assertEqual(0, status, said)
        self.assertFalse(self.workers(6 * [0]))

    @staticmethod
    def _write(path, text):
        with open(path, 'w', encoding='latin-1') as file:
            file.write(text)

    def workers(self, enough=None):
        """Ids of all workers, once there are six (`enough` given: of however many there are)."""
        made = self.lab.run(['pgrep', '-f', '^[^ ]*swift-object-reconstructor|'
                             '^/usr/bin/python3 [^ ]*swift-object-reconstructor'])
        pids = {int(word) for word in made.output.split()} - set(self.pids().values())
        return pids if len(pids) == 6 or enough is not None else set()


if __name__ == '__main__':
    case.main()
