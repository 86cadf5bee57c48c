#!/usr/bin/python3
"""A daemon's life beside real Swift: recon cache, workers, signals, priorities, lock-ups, metrics."""

import collections
import json
import os
import re
import signal
import socket
import time

from daemons import Daemon, is_alive, status_of, wait_until

from support import case, objects, program  # noqa: E402  (daemons finds it)

NODE = 1
TERM_LIMIT_S = 10.0


class DaemonLife(case.InteropCase):
    """Four servers; node 1 has the devices d1 and d5."""

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': 65536,
               'log_level': 'DEBUG'}
    restores = False

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [0, 1000, 70000]))

    def setUp(self):
        super().setUp()
        cache = self.recon_path()
        if os.path.exists(cache):
            os.unlink(cache)

    def recon_path(self, node=NODE):
        return self.lab.layout.path('cache', str(node), 'object.recon')

    def recon(self, node=NODE):
        try:
            with open(self.recon_path(node), encoding='ascii') as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def daemon(self, options=None, arguments=(), argv=None):
        made = Daemon(self.lab, NODE, options, arguments, argv)
        self.addCleanup(made.end, signal.SIGKILL)
        return made

    # Passes and what they leave.

    def test_passes_go_on_and_are_told(self):
        with open(self.recon_path(), 'w', encoding='ascii') as file:
            file.write('{"object_auditor_stats_ALL": {"passes": 12345678901234567890123}, '
                       '"object_reconstruction_per_disk": {"d9": {}}}\n')
        daemon = self.daemon()
        daemon.wait_for_pass(3)
        for pattern in (r'NOTICE object-reconstructor: Starting \d+$',
                        r'INFO object-reconstructor: Starting object reconstructor in daemon mode\.$',
                        r'INFO object-reconstructor: Starting object reconstruction pass\.$',
                        r'INFO object-reconstructor: \d+/\d+ \(100\.00%\) partitions reconstructed '
                        r'in \d+\.\d\ds \(\d+\.\d\d/sec, 0s remaining\)$',
                        r'INFO object-reconstructor: Object reconstruction complete\. '
                        r'\(0\.0\d minutes\)$',
                        r'DEBUG object-reconstructor: reconstruction sleeping for 0\.2 seconds\.$'):
            self.assertTrue(daemon.lines(pattern), pattern)
        before = self.recon()['object_reconstruction_last']
        daemon.wait_for_pass()
        # It is written after the line.
        held = wait_until(lambda: self.recon()['object_reconstruction_last'] > before
                          and self.recon(), 'the pass to be told')
        self.assertAlmostEqual(time.time(), held['object_reconstruction_last'], delta=20)
        self.assertNotIn('object_reconstruction_per_disk', held)
        with open(self.recon_path(), encoding='ascii') as file:
            self.assertIn('"object_auditor_stats_ALL": {"passes": 12345678901234567890123}', file.read())
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)
        self.assertTrue(daemon.lines(r'NOTICE object-reconstructor: SIGTERM received \(\d+\)$'))
        if not program.IS_SWIFT:
            self.assertTrue(daemon.lines(r'NOTICE object-reconstructor: Exited \d+$'))

    def test_swift_recon_reads_what_all_nodes_told(self):
        daemons = [Daemon(self.lab, node) for node in range(1, 5)]
        for daemon in daemons:
            self.addCleanup(daemon.end, signal.SIGKILL)
            daemon.wait_for_pass()
        told = self.lab.run(['/usr/bin/swift-recon', 'object', '-R', '--swiftdir=/etc/swift', '-v'])
        self.assertEqual(0, told.exit_code, told.output)
        self.assertRegex(told.output, r'\[object_reconstruction_time\] low: 0, high: 0, avg: \d\.\d, '
                                      r'total: \d, Failed: 0\.0%, no_result: 0, reported: 4')
        self.assertRegex(told.output, r'Most recent completion was .* \(\d+ seconds ago\)')
        for daemon in daemons:
            daemon.end()

    def test_once_tells_only_what_covers_everything(self):
        for arguments, told in ((('-p', '0'), False), (('-d', 'd1'), False), ((), True)):
            self.run_pass([NODE], arguments)
            self.assertEqual(told, 'object_reconstruction_time' in self.recon(), arguments)

    def test_term_ends_a_pass_that_waits_for_a_silent_peer(self):
        self.lab.freeze(2)
        self.addCleanup(self.lab.thaw, 2)
        daemon = self.daemon()
        daemon.wait_for('Starting object reconstruction pass')
        started = time.monotonic()
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)
        self.assertLess(time.monotonic() - started, TERM_LIMIT_S)
        self.assertEqual({}, self.recon())

    @case.fragmend_only('Swift needs twice the time and names nobody')
    def test_lockup_names_who_is_stuck(self):
        self.lab.freeze(2)
        self.addCleanup(self.lab.thaw, 2)
        daemon = self.daemon({'lockup_timeout': 2, 'http_timeout': 60, 'conn_timeout': 30})
        daemon.wait_for(r'ERROR object-reconstructor: Lockup detected\.\. killing live coros\.$')
        daemon.wait_for(r'ERROR object-reconstructor: stuck: SYNC of d[15]/\d+ policy#1: '
                        r'asks 127\.0\.0\.2:6202/d\d for suffix hashes for [2-9] s$')
        daemon.wait_for(r'Object reconstruction complete\.')
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    # Workers.

    def test_workers_tell_by_device_and_the_parent_sums_up(self):
        daemon = self.daemon({'reconstructor_workers': 5, 'stats_interval': 1})
        wait_until(lambda: len(daemon.workers) == 2, 'two workers')
        for index in (1, 2):
            daemon.wait_for(rf'INFO object-reconstructor: \[worker {index}/2 pid=\d+\] '
                            r'Object reconstruction complete\.')
        held = wait_until(lambda: 'object_reconstruction_time' in self.recon() and self.recon(),
                          'the sum')
        entries = held['object_reconstruction_per_disk']
        self.assertEqual({'d1', 'd5'}, set(entries))
        for entry in entries.values():
            self.assertEqual({'object_reconstruction_last', 'object_reconstruction_time', 'pid'},
                             set(entry))
        self.assertEqual(2, len({entry['pid'] for entry in entries.values()}))
        self.assertTrue(daemon.lines(r"DEBUG object-reconstructor: Spawned worker \d+ with \{.*"
                                     r"'override_devices': \['d[15]'\]"))
        workers = daemon.workers
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)
        self.assertFalse([pid for pid in workers if is_alive(pid)])

    def test_dead_worker_is_started_again(self):
        daemon = self.daemon({'reconstructor_workers': 2})
        first = wait_until(lambda: len(daemon.workers) == 2 and daemon.workers, 'two workers')
        daemon.wait_for(r'\[worker 1/2')
        os.kill(first[0], signal.SIGKILL)
        second = wait_until(lambda: len(daemon.workers) == 2 and set(daemon.workers) != set(first)
                            and daemon.workers, 'a new worker')
        self.assertIn(first[1], second)
        daemon.end()

    @case.fragmend_only("Swift's workers outlive a parent that was killed")
    def test_workers_go_with_their_parent(self):
        daemon = self.daemon({'reconstructor_workers': 2})
        workers = wait_until(lambda: len(daemon.workers) == 2 and daemon.workers, 'two workers')
        daemon.wait_for(r'\[worker 2/2')
        daemon.end(signal.SIGKILL)
        wait_until(lambda: not [pid for pid in workers if is_alive(pid)], 'the workers to end')

    def test_once_with_workers_and_overrides(self):
        conf = self.lab._reconstructor_conf(NODE, {'reconstructor_workers': 4})
        made = self.lab.run([*program.command(), conf, '--once', '-v', '-d', 'd5,d2'])
        self.assertEqual(0, made.exit_code, made.output)
        self.assertIn('[worker 1/1 pid=', made.output)
        self.assertEqual({'d5'}, set(self.recon()['object_reconstruction_per_disk']))
        self.assertNotIn('object_reconstruction_time', self.recon())
        made = self.lab.run([*program.command(), conf, '--once', '-v', '-p', '1'])
        self.assertEqual({'d5'}, set(self.recon()['object_reconstruction_per_disk']))
        made = self.lab.run([*program.command(), conf, '--once', '-v'])
        self.assertRegex(made.output, r'Finished \d+')
        self.assertEqual({'d1', 'd5'}, set(self.recon()['object_reconstruction_per_disk']))
        self.assertIn('object_reconstruction_time', self.recon())

    @case.fragmend_only('Swift has no summary')
    def test_once_with_workers_prints_one_summary(self):
        conf = self.lab._reconstructor_conf(NODE, {'reconstructor_workers': 2})
        whole = self.lab.run([*program.command(), self.lab.layout.node(NODE).conf, '--once', '--json'])
        parts = self.lab.run([*program.command(), conf, '--once', '--json'])
        self.assertEqual(0, parts.exit_code, parts.output)
        self.assertEqual(1, len(parts.output.splitlines()), parts.output)
        whole, parts = (program.summary_of(run.output) for run in (whole, parts))
        for key in ('devices', 'partitions', 'partitions_done'):
            self.assertEqual(whole[key], parts[key], key)

    # Signals and priorities.

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_hup_starts_anew_with_a_good_configuration_only(self):
        daemon = self.daemon({'interval': 0.2})
        daemon.wait_for_pass()
        path = self.lab.layout.path('etc', daemon.conf.removeprefix('/etc/swift/'))
        with open(path, encoding='latin-1') as file:
            text = file.read()
        self._write(path, text.replace('interval = 0.2', 'interval = soon'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for(r'ERROR object-reconstructor: Keeping the old configuration: .*interval')
        daemon.wait_for_pass(2)
        self._write(path, text.replace('interval = 0.2',
                                       'interval = 0.3\nreconstructor_workers = 2'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for(r'sleeping for 0\.3 seconds')
        wait_until(lambda: len(daemon.workers) == 2, 'two workers in the same process')
        self._write(path, text.replace('interval = 0.2', 'interval = 0.4'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for(r'sleeping for 0\.4 seconds')
        wait_until(lambda: not daemon.workers, 'no workers in the same process')
        self.assertTrue(is_alive(daemon.pid))
        self.assertEqual(3, len(daemon.lines(r'NOTICE object-reconstructor: Starting \d+$')))
        descriptors = os.listdir(f'/proc/{daemon.pid}/fd')
        self.assertLess(len(descriptors), 40, 'descriptors of the former life stay open')
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_hup_needs_no_way_into_the_folder_of_the_first_start(self):
        folder = self.lab.layout.path('first-start')
        os.mkdir(folder)
        daemon = self.daemon(argv=['/usr/bin/env', f'--chdir={folder}', *program.command()])
        daemon.wait_for_pass()
        os.rmdir(folder)
        daemon.send(signal.SIGHUP)
        daemon.wait_for(r'NOTICE object-reconstructor: Starting \d+$', 2)
        self.assertFalse(daemon.lines('Keeping the old configuration'))
        daemon.end()

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_hups_in_a_row_do_no_harm(self):
        for workers in (0, 2):
            daemon = self.daemon({'interval': 0.2, 'reconstructor_workers': workers})
            daemon.wait_for(r'Object reconstruction complete')
            for starts in (1, 2, 3):
                for _ in range(5):
                    daemon.send(signal.SIGHUP)
                daemon.wait_for('Starting again with the new configuration', starts)
                daemon.send(signal.SIGHUP)
                daemon.wait_for(r'NOTICE object-reconstructor: Starting \d+$', starts + 1)
            # A TERM between two lives ends it, too, but not with 0.
            wait_until(daemon.has_settled, 'a pass after the last start')
            self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_term_behind_a_hup_ends_it(self):
        for workers in (0, 2):
            daemon = self.daemon({'interval': 0.2, 'reconstructor_workers': workers})
            daemon.wait_for(r'Object reconstruction complete')
            daemon.send_together(signal.SIGHUP, signal.SIGTERM)
            # Another TERM might find the default action.
            made = daemon.end(signal.SIGCONT, limit_s=TERM_LIMIT_S)
            self.assertEqual(0, made.exit_code, '\n'.join(daemon.log[-20:]))
            self.assertTrue(daemon.lines(r'SIGTERM received \(\d+\)$'))
            self.assertTrue(daemon.lines(r'Exited \d+$'))
            self.assertFalse(daemon.lines('Starting again with the new configuration'))

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_hup_with_nothing_to_take_leaves_a_worker_alone(self):
        daemon = self.daemon({'interval': 0.2, 'reconstructor_workers': 2})
        for index in (1, 2):
            daemon.wait_for(rf'\[worker {index}/2 pid=\d+\] Object reconstruction complete')
        before = set(daemon.workers)
        for pid in before:
            os.kill(pid, signal.SIGHUP)
        passes = r'\] Object reconstruction complete'
        daemon.wait_for(passes, len(daemon.lines(passes)) + 8)
        self.assertEqual(before, set(daemon.workers))
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    @staticmethod
    def _write(path, text):
        with open(path, 'w', encoding='latin-1') as file:
            file.write(text)

    def test_priorities_and_hygiene(self):
        daemon = self.daemon({'nice_priority': 7, 'ionice_class': 'IOPRIO_CLASS_BE',
                              'ionice_priority': 6})
        daemon.wait_for_pass()
        for task in os.listdir(f'/proc/{daemon.pid}/task'):
            with open(f'/proc/{daemon.pid}/task/{task}/stat', encoding='ascii') as file:
                self.assertEqual('7', file.read().rpartition(')')[2].split()[16])
        self.assertRegex(os.popen(f'ionice -p {daemon.pid}').read(), 'best-effort: prio 6')
        self.assertIn('DEBUG object-reconstructor: set nice priority to 7\n', daemon.text)
        self.assertIn('set ionice class 2 priority 6\n', daemon.text)
        self.assertEqual('/', os.readlink(f'/proc/{daemon.pid}/cwd'))
        self.assertEqual('0022', status_of(daemon.pid)['Umask'])
        for number in (0, 1, 2):
            self.assertEqual('/dev/null', os.readlink(f'/proc/{daemon.pid}/fd/{number}'))
        daemon.end()

    def test_becomes_the_user(self):
        if os.geteuid() != 0:
            self.skipTest('only root becomes somebody else')
        daemon = self.daemon({'user': 'swift'})
        daemon.wait_for(r'Starting object reconstruction pass')
        uids = set(status_of(daemon.pid)['Uid'].split())
        self.assertEqual(1, len(uids))
        self.assertNotEqual({'0'}, uids)
        # What it may not write is said, and no reason to end.
        daemon.wait_for(r'ERROR object-reconstructor: Exception dumping recon cache: ', limit_s=60)
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    # The control socket.

    def ask(self, operation, daemon=None, json_too=True, words=()):
        """`fragmend OPERATION`: (exit code, what it printed)."""
        confs = [daemon.conf] if daemon else []
        made = self.lab.run([program.PROGRAM, operation, *words, *confs, *(['--json'] * json_too)])
        return made.exit_code, made.output

    @case.fragmend_only('Swift has no such thing')
    def test_status_of_every_process(self):
        daemons = [self.daemon({'reconstructor_workers': 2})]
        daemons[0].wait_for(r'\[worker 2/2 pid=\d+\] Object reconstruction complete')
        daemons[0].wait_for(r'\[worker 1/2 pid=\d+\] Object reconstruction complete')
        other = Daemon(self.lab, 2)
        self.addCleanup(other.end, signal.SIGKILL)
        other.wait_for_pass()
        code, said = self.ask('status')
        self.assertEqual(0, code, said)
        told = json.loads(said)['processes']
        self.assertEqual([1, 2, None], sorted((one.get('worker', {}).get('index') for one in told),
                                              key=lambda index: index or 9))
        for one in told:
            self.assertGreater(one['passes'], 0)
            self.assertIn(one['state'], ('pass', 'sleeping'))
            self.assertIn('limited_by', one)
        code, said = self.ask('status', other, json_too=False)
        self.assertEqual(0, code, said)
        self.assertRegex(said, r'^process \d+: (pass|sleeping), up \d+ s, \d+ passes done\n')
        for daemon in (*daemons, other):
            daemon.end()
        self.assertEqual(6, self.ask('status')[0])
        left = os.listdir(os.path.dirname(self.recon_path()))
        self.assertFalse([name for name in left if name.endswith('.sock')], left)

    def told(self, daemon):
        """The status of the only process."""
        code, said = self.ask('status', daemon)
        self.assertEqual(0, code, said)
        return json.loads(said)['processes'][0]

    @case.fragmend_only('Swift has no such thing')
    def test_pause_resume_and_cancel(self):
        daemon = self.daemon()
        daemon.wait_for_pass()
        self.assertEqual(0, self.ask('pause', daemon)[0])
        daemon.wait_for('NOTICE object-reconstructor: Paused')
        # A pass that was under way then has done something already: the next one has not.
        before = self.told(daemon)
        passes = before['passes'] + ('pass' in before)
        if 'pass' in before:
            self.ask('cancel', daemon)

        def pass_begun_while_paused():
            told = self.told(daemon)
            return told['passes'] >= passes and 'pass' in told and told
        told = wait_until(pass_begun_while_paused, 'the next pass to begin')
        self.assertEqual('paused', told['state'])
        self.assertEqual(0, told['pass']['partitions_done'])
        passes = len(daemon.lines(r'complete\.'))
        self.assertEqual(0, self.ask('cancel', daemon)[0])
        daemon.wait_for(r'complete\.', passes + 1)
        self.assertEqual(0, self.ask('resume', daemon)[0])
        daemon.wait_for_pass(2)
        self.assertTrue(daemon.lines(r'[1-9]\d*/\d+ \(100\.00%\)'))
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    @case.fragmend_only('Swift has no such thing')
    def test_a_paused_device_is_left_out_until_resumed(self):
        daemon = self.daemon({'interval': 0.2})
        daemon.wait_for_pass()

        def standing_pass(leaves_out):
            told = self.told(daemon)
            stands = 'pass' in told and not told['pass']['partitions_done']
            left_out = stands and 'cancelled' in told['pass']['failed_partitions']
            return stands and left_out == leaves_out and told
        self.assertEqual(0, self.ask('pause', daemon, words=['--device', 'd1'])[0])
        # So that a pass stands still at its beginning; one that was under way then ends.
        for what in ('pause', 'drain'):
            self.assertEqual(0, self.ask(what, daemon)[0])
        told = wait_until(lambda: standing_pass(True), 'a pass without the device')
        self.assertEqual(['device d1'], told['paused'])
        self.assertEqual(4, self.ask('resume', daemon, words=['--device', 'd2'])[0])
        self.assertEqual(0, self.ask('resume', daemon, words=['--device', 'd1'])[0])
        self.assertEqual(0, self.ask('drain', daemon)[0])
        told = wait_until(lambda: standing_pass(False), 'a pass with the device')
        self.assertEqual([], told['paused'])
        self.assertEqual(0, self.ask('resume', daemon)[0])
        passes = len(daemon.lines(r'complete\.'))
        daemon.wait_for(r'complete\.', passes + 1)
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    def limits_of(self, daemon):
        """(read limit, profile) of the process, or of each worker."""
        code, said = self.ask('status', daemon)
        self.assertEqual(0, code, said)
        told = [one['throttle'] for one in json.loads(said)['processes']]
        return [(one['read_bytes_per_s']['total'], one['profile']) for one in told]

    @case.fragmend_only('Swift has no such thing')
    def test_limits_change_while_it_runs(self):
        daemon = self.daemon({'interval': 0.2, 'fragmend_profile': 'balanced'})
        daemon.wait_for_pass()
        code, said = self.ask('limit', daemon, words=['read_limit=64M', 'node_send_limit=5M'],
                              json_too=False)
        self.assertEqual(0, code, said)
        self.assertRegex(said, r'^process \d+: reading 64\.0 MiB/s; sending without limit, '
                               r'5\.0 MiB/s a node; balanced\n$')
        daemon.wait_for('NOTICE object-reconstructor: Limits: reading 64')
        self.assertEqual([(64 << 20, 'balanced')], self.limits_of(daemon))
        code, said = self.ask('limit', daemon, words=['read_limit=5'])
        self.assertEqual(2, code, said)
        self.assertEqual(0, self.ask('limit', daemon, words=['--configured', 'profile=polite'])[0])
        self.assertEqual([(0, 'polite')], self.limits_of(daemon))
        self.assertEqual(0, self.ask('cancel', daemon, words=['--device', 'no-such'])[0])
        self.assertEqual(0, self.ask('cancel', daemon, words=['--object', '/a/c/no-such'])[0])
        daemon.wait_for_pass(3)
        self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    @case.fragmend_only('SIGHUP ends a Swift daemon')
    def test_hup_with_nothing_new_but_limits_goes_on(self):
        for workers in (0, 2):
            daemon = self.daemon({'interval': 0.2, 'reconstructor_workers': workers})
            wait_until(lambda: len(daemon.workers) == workers, 'workers')
            daemon.wait_for(r'Object reconstruction complete')
            for index in range(workers):
                daemon.wait_for(rf'\[worker {index + 1}/2 pid=\d+\] Object reconstruction complete')
            before = set(daemon.workers)
            path = self.lab.layout.path('etc', daemon.conf.removeprefix('/etc/swift/'))
            with open(path, encoding='latin-1') as file:
                text = file.read()
            self._write(path, text.replace('interval = 0.2',
                                           'interval = 0.2\nfragmend_read_limit = 32M'))
            daemon.send(signal.SIGHUP)
            count = max(1, workers)
            wait_until(lambda: self.limits_of(daemon) == [((32 << 20) // count, 'urgent')] * count,
                       'the new limit in every process')
            self.assertEqual(before, set(daemon.workers))
            self.assertFalse(daemon.lines('Starting again with the new configuration'))
            self.assertEqual(0, daemon.end(limit_s=TERM_LIMIT_S).exit_code)

    # What other programs get to read.

    def test_log_lines_are_swifts(self):
        """Each line of an uneventful daemon has the form of a line that Swift writes, too."""
        forms = {}
        for name, argv in (('swift', ['/usr/bin/swift-object-reconstructor']), ('ours', None)):
            daemon = self.daemon({'reconstructor_workers': 2, 'stats_interval': 0.05}, argv=argv)
            daemon.wait_for_pass(3)
            daemon.end()
            forms[name] = {re.sub(r'\d+', 'N', line) for line in daemon.log}
        strange = {line for line in forms['ours'] - forms['swift']
                   if not re.search(r'Exited N|Cleaned up worker|SIGTERM received', line)
                   # How much is left, and in which unit, is a matter of speed.
                   and not re.search(r'remaining\)$|Nothing reconstructed', line)}
        self.assertEqual(set(), strange, forms['swift'])

    def test_metrics_are_swifts(self):
        """The same state, once by Swift and once by us: the same names, kinds and sums."""
        seen = {}
        for name, argv in (('swift', ['/usr/bin/swift-object-reconstructor']),
                           ('ours', program.command())):
            self.lab.wipe('d2')
            listener = self.listen_inside()
            conf = self.lab._reconstructor_conf(NODE, {
                'log_statsd_host': '127.0.0.1', 'log_statsd_port': listener.port,
                'log_statsd_metric_prefix': 'pfx', 'run': name})
            made = self.lab.run([*argv, conf, '--once', '-v'])
            self.assertIn(made.exit_code, (program.DONE, program.WORK_REMAINS), made.output)
            seen[name] = listener.stop()
        sums = {name: self.sums_of(datagrams) for name, datagrams in seen.items()}
        self.assertEqual(set(sums['swift']), set(sums['ours']))
        for metric in ('partition.update.count.d1:c', 'partition.update.count.d5:c',
                       'partition.update.timing:ms'):
            metric = 'pfx.object-reconstructor.' + metric
            self.assertEqual(sums['swift'][metric], sums['ours'][metric])

    @staticmethod
    def sums_of(datagrams):
        """{name:kind: sum of counters, or number of timings}."""
        sums = collections.Counter()
        for datagram in datagrams:
            name, value, kind = re.fullmatch(r'([^:]+):([-0-9.e]+)\|(c|ms)', datagram).groups()
            sums[f'{name}:{kind}'] += int(value) if kind == 'c' else 1
        return sums

    def listen_inside(self):
        """A UDP socket in the lab's network that keeps what it gets."""
        return Listener(self)


class Listener:
    """A process in the lab that writes datagrams to a file, a line each."""

    def __init__(self, test):
        self.path = test.lab.layout.path('scratch', f'statsd-{time.monotonic_ns()}')
        script = ('import socket, sys\n'
                  's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n'
                  's.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)\n'
                  "s.bind(('127.0.0.1', 0))\n"
                  "out = open(sys.argv[1], 'wb', buffering=0)\n"
                  "out.write(b'port %d\\n' % s.getsockname()[1])\n"
                  'while True:\n'
                  "    data = s.recv(65536)\n"
                  "    if data == b'end':\n"
                  '        break\n'
                  "    out.write(data + b'\\n')\n")
        self._lab = test.lab
        self._run = test.lab.popen(['/usr/bin/python3', '-c', script, self.path])
        self.port = wait_until(self._port, 'the listener')

    def _port(self):
        if not os.path.exists(self.path):
            return None
        with open(self.path, encoding='ascii') as file:
            first = file.readline()
        return int(first.split()[1]) if first.endswith('\n') else None

    def stop(self):
        """All datagrams so far, sorted out from the end mark that is sent behind them."""
        self._lab.run(['/usr/bin/python3', '-c',
                       'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
                       f".sendto(b'end', ('127.0.0.1', {self.port}))"])
        self._run.wait(10)
        with open(self.path, encoding='ascii') as file:
            return file.read().splitlines()[1:]


if __name__ == '__main__':
    case.main()
