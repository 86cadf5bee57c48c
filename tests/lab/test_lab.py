#!/usr/bin/python3
"""Tests of the lab itself: python3 tests/lab/test_lab.py"""

import http.client
import os
import select
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, LabError, SpecError, compare  # noqa: E402
from swiftlab import http_stream, object_plan, proxy_client, snapshots  # noqa: E402
from swiftlab.fault_rules import RuleBook  # noqa: E402

ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lab.py')


def object_server_answer(lab, node, path, verb='GET', timeout_s=5):
    """(status, body) of one request to an object server, at its ring address."""
    server = lab.layout.node(node)
    link = http.client.HTTPConnection(server.ring_ip, server.port)
    link.sock = lab.connect(server.ring_ip, server.port)
    link.sock.settimeout(timeout_s)
    try:
        link.request(verb, path, headers={'X-Backend-Storage-Policy-Index': '1'})
        response = link.getresponse()
        return response.status, response.read()
    finally:
        link.close()


class PlanTest(unittest.TestCase):

    def test_same_seed_gives_same_histories(self):
        first, second = (object_plan.histories(50, seed=7, posts=0.5, deletes=0.2, now=1.8e9)
                         for _ in range(2))
        self.assertEqual(first, second)
        self.assertNotEqual(first, object_plan.histories(50, seed=8, posts=0.5, deletes=0.2,
                                                         now=1.8e9))

    def test_outcome_follows_post_delete_and_expiry(self):
        put = {'op': 'put', 'at': 10.0, 'bytes': 5, 'meta': {'A': '1'}}
        post = {'op': 'post', 'at': 11.0, 'meta': {'A': '2'}}
        delete = {'op': 'delete', 'at': 12.0}
        self.assertEqual(object_plan.outcome({'events': [put, post]}, 20.0), (put, {'A': '2'}))
        self.assertEqual(object_plan.outcome({'events': [put, delete]}, 20.0), (None, {}))
        expired = dict(put, delete_at=15)
        self.assertEqual(object_plan.outcome({'events': [expired]}, 20.0), (None, {}))
        self.assertEqual(object_plan.outcome({'events': [expired, post]}, 20.0)[0], expired)

    def test_spec_refuses_contradictions(self):
        with self.assertRaises(SpecError):
            Lab(k=4, m=2, devices=5)
        with self.assertRaises(SpecError):
            Lab(servers=4, devices=3, k=2, m=1)


class RuleTest(unittest.TestCase):

    def test_nth_and_times(self):
        book = RuleBook()
        book.add({'action': 'drop', 'verb': 'GET', 'nth': 2})
        struck = [book.choose(1, 'GET', '/x') is not None for _ in range(4)]
        self.assertEqual(struck, [False, True, False, False])
        book.clear()
        book.add({'action': 'drop', 'path': 'y$', 'server': 2, 'times': 1})
        self.assertIsNone(book.choose(1, 'GET', '/y'))
        self.assertIsNotNone(book.choose(2, 'PUT', '/y'))
        self.assertIsNone(book.choose(2, 'PUT', '/y'))
        self.assertEqual(book.counts(), {1: {'GET': 5}, 2: {'PUT': 2}})

    def test_unknown_action_is_refused(self):
        with self.assertRaises(ValueError):
            RuleBook().add({'action': 'explode'})

    def test_head_fields(self):
        head = http_stream.Head(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n')
        self.assertEqual((head.words[1], head.content_length, head.is_chunked), ('200', 7, False))


class WholeClusterTest(unittest.TestCase):
    """One lab with everything switched on, shared by its tests, which run in order of name.

    First the readers: where Swift has rebuilt, non-ASCII metadata is spoilt.
    """

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(k=2, m=1, servers=4, devices=4, proxy=True, fault_proxy=True,
                      mount_check=True).up()
        cls.lab.fill_fast(20, sizes=(0, 1, 16384, 1048576, 1500000), posts=0.4, overwrites=0.3,
                          deletes=0.2, expired=0.1, odd_names=0.5, container='fast')

    @classmethod
    def tearDownClass(cls):
        cls.lab.down()

    def setUp(self):
        self.lab.clear_faults()

    def data_path(self, device, minimum_bytes=1):
        """The request target of an object whose fragment on `device` has some length."""
        for path, entry in snapshots.object_files(self.lab.snapshot(device)).items():
            if path.endswith('.data') and entry['bytes'] >= minimum_bytes \
                    and 'X-Delete-At' not in entry['metadata']:
                partition = path.split('/')[1]
                name = proxy_client.path_of(entry['metadata']['name'].lstrip('/'))
                return f'/{device}/{partition}{name.removeprefix("/v1")}', entry
        self.fail(f'no fragment of {minimum_bytes} bytes on {device}')

    def test_a_fast_fill_is_readable_through_the_proxy(self):
        count, complaints = self.lab.read_all()
        self.assertGreaterEqual(count, 20)
        self.assertEqual(complaints, [])

    def test_b_objects_put_through_the_proxy_are_read_back_with_a_device_down(self):
        self.lab.fill_proxy(8, sizes=(0, 1500000), posts=0.5, overwrites=0.5, deletes=0.3,
                            expired=0.5, odd_names=1.0, container='slow')
        self.lab.unmount('d2')
        try:
            self.assertEqual(self.lab.read_all()[1], [])
        finally:
            self.lab.mount('d2')

    def test_unmounted_device_gives_507(self):
        path, _entry = self.data_path('d3')
        self.lab.unmount('d3')
        try:
            self.assertEqual(object_server_answer(self.lab, 3, path)[0], 507)
        finally:
            self.lab.mount('d3')
        self.assertEqual(object_server_answer(self.lab, 3, path)[0], 200)

    def passes_until_as(self, device, before):
        """Swift's passes until the device is as before; the cost of the last one.

        A server that hashes while a PUT makes directories refuses it: the next pass repeats it.
        """
        for _ in range(4):
            _results, total = self.lab.reconstruct_swift_all()
            self.assertEqual(total.exit_code, 0, total.output)
            lines = compare(before, self.lab.snapshot(device), garbled_text_ok=True)
            if not lines:
                return total
        self.fail('\n'.join(lines[:12]) + f'\n{total.output}')

    def test_wiped_device_is_restored_by_swift(self):
        before = self.lab.snapshot('d1')
        self.lab.wipe('d1')
        self.assertEqual(snapshots.object_files(self.lab.snapshot('d1')), {})
        self.assertGreater(self.passes_until_as('d1', before).cpu_s, 0)

    def test_cut_ssync_sessions_leave_work_that_a_later_pass_does(self):
        before = self.lab.snapshot('d2')
        self.lab.wipe('d2')
        self.lab.fault(action='cut', verb='SSYNC', server=2, side='request', at=600)
        self.lab.reconstruct_swift_all()
        self.assertNotEqual(compare(before, self.lab.snapshot('d2'), garbled_text_ok=True), [])
        self.assertGreater(self.lab.traffic()[2]['SSYNC'], 0)
        self.lab.clear_faults()
        self.passes_until_as('d2', before)

    def test_killed_server_is_gone_and_comes_back(self):
        path, _entry = self.data_path('d4')
        self.lab.kill(4)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            object_server_answer(self.lab, 4, path)
        self.lab.start(4)
        self.assertEqual(object_server_answer(self.lab, 4, path)[0], 200)

    def test_frozen_server_is_silent_until_thawed(self):
        path, _entry = self.data_path('d4')
        self.lab.freeze(4)
        with self.assertRaises(TimeoutError):
            object_server_answer(self.lab, 4, path, timeout_s=0.3)
        self.assertEqual(1, len(self.lab.served()))
        self.lab.thaw(4)
        self.lab.wait_until_idle()
        self.assertEqual(object_server_answer(self.lab, 4, path)[0], 200)

    def test_fault_status_and_count(self):
        path, _entry = self.data_path('d2')
        self.lab.traffic(reset=True)
        self.lab.fault(action='status', status=503, server=2, verb='GET', nth=2)
        self.assertEqual([object_server_answer(self.lab, 2, path)[0] for _ in range(3)],
                         [200, 503, 200])
        self.assertEqual(self.lab.traffic(), {2: {'GET': 3}})

    def test_fault_flip_cut_and_hang(self):
        path, entry = self.data_path('d2', minimum_bytes=200)
        good = object_server_answer(self.lab, 2, path)[1]
        self.assertEqual(len(good), entry['bytes'])
        self.lab.fault(action='flip', server=2, verb='GET', at=-1)
        flipped = object_server_answer(self.lab, 2, path)[1]
        self.assertEqual([number for number, pair in enumerate(zip(good, flipped))
                          if pair[0] != pair[1]], [len(good) - 1])
        self.lab.clear_faults()
        self.lab.fault(action='cut', server=2, verb='GET', at=100)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            object_server_answer(self.lab, 2, path)
        self.assertEqual(caught.exception.partial, good[:100])
        self.lab.clear_faults()
        self.lab.fault(action='hang', server=2, path='/d2/')
        with self.assertRaises(TimeoutError):
            object_server_answer(self.lab, 2, path, timeout_s=0.3)

    def test_wire_is_recorded(self):
        path, _entry = self.data_path('d2')
        with tempfile.TemporaryDirectory() as folder:
            self.lab.record_wire(folder)
            body = object_server_answer(self.lab, 2, path)[1]
            self.lab.record_wire(None)
            request, = (name for name in os.listdir(folder) if name.endswith('.request'))
            with open(os.path.join(folder, request), 'rb') as file:
                self.assertTrue(file.read().startswith(b'GET /d2/'))
            with open(os.path.join(folder, request.replace('.request', '.response')), 'rb') as file:
                self.assertTrue(file.read().endswith(body))

    def test_x_corrupted_fragment_is_quarantined_by_the_auditor(self):
        self.assertEqual(self.lab.audit(3)[0], 0)
        _target, entry = self.data_path('d3', minimum_bytes=200)
        name = entry['metadata']['name']
        path = next(path for path, other in snapshots.object_files(self.lab.snapshot('d3')).items()
                    if other['metadata']['name'] == name and path.endswith('.data'))
        self.assertIn(f'Path: {name}', self.lab.object_info('d3', path))
        self.lab.corrupt('d3', path)
        self.assertEqual(self.lab.audit(3)[0], 1)
        self.assertNotIn(path, self.lab.object_files('d3'))


class HistoryTest(unittest.TestCase):
    """Exact histories, on devices in memory that can be unmounted."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(ec_type='liberasurecode_rs_vand', k=2, m=1, duplication=2, servers=2,
                      devices=8, tmpfs=True, tmpfs_mib=16, mount_check=True).up()

    @classmethod
    def tearDownClass(cls):
        cls.lab.down()

    def names(self, ending):
        """[(device, file name)] of all object files that end so."""
        return [(device, os.path.basename(path)) for device in self.lab.layout.device_names
                for path in self.lab.object_files(device, ending)]

    def test_versions_and_places(self):
        at = '1795332145.61494'
        put = {'op': 'put', 'at': at, 'bytes': 5000, 'meta': {'Color': 'blue'}}
        one = {'account': 'a', 'container': 'c', 'policy': 1}
        self.lab.write([
            dict(one, name='durable', events=[put, {'op': 'post', 'at': 1795332155.61494,
                                                    'meta': {}, 'content_type': 'image/png'}])])
        self.assertEqual(sorted(name for _device, name in self.names('.data')),
                         sorted(f'{at}#{index}#d.data' for index in (0, 0, 1, 1, 2, 2)))
        self.assertEqual({name for _device, name in self.names('.meta')},
                         {'1795332155.61494+0.meta'})
        free = next(device for device in self.lab.layout.device_names
                    if device not in {device for device, _name in self.names('.data')})
        offset = '1795332145.61494_000000000000000a'
        self.lab.write([
            dict(one, name='open', events=[dict(put, at=offset, durable=False, indexes=[1],
                                                place={'1': free})]),
            dict(one, name='old', events=[dict(put, at='1000000000.00000', durable='legacy')]),
            dict(one, name='gone', events=[put, {'op': 'delete', 'at': 1795332146.0}])])
        self.assertIn((free, f'{offset}#1.data'), self.names('.data'))
        self.assertEqual(len(self.names('.durable')), 6)
        self.assertEqual({name for _device, name in self.names('.ts')}, {'1795332146.00000.ts'})

    def test_unmounted_memory_device_keeps_its_content(self):
        before = self.lab.snapshot('d1')
        self.lab.unmount('d1')
        self.assertNotIn('d1', self.lab.status()['mounted'])
        self.lab.mount('d1')
        self.assertEqual(compare(before, self.lab.snapshot('d1')), [])

    def test_unmount_without_mount_check_is_refused(self):
        lab = Lab(k=2, m=1, servers=1, devices=3)
        self.addCleanup(lab.down)
        with self.assertRaises(RuntimeError):
            lab.unmount('d1')


class LifeTest(unittest.TestCase):

    def test_two_labs_at_once_do_not_meet(self):
        with Lab(k=2, m=1, servers=1, devices=3) as first, \
                Lab(k=2, m=1, servers=1, devices=3, tmpfs=True, tmpfs_mib=16) as second:
            first.fill_fast(3)
            self.assertTrue(first.object_files('d1'))
            self.assertEqual(second.object_files('d1'), [])
            second.fill_fast(3)
            self.assertTrue(second.object_files('d1'))
            folders = first.directory, second.directory
        self.assertEqual([os.path.exists(folder) for folder in folders], [False, False])

    def test_lab_ends_with_the_process_that_made_it(self):
        script = ('import os, sys; sys.path.insert(0, sys.argv[1]); from lab import Lab; '
                  'lab = Lab(k=2, m=1, servers=1, devices=3).up(); '
                  'print(lab.holder_pid, lab.directory, flush=True); os.kill(os.getpid(), 9)')
        output = subprocess.run(['/usr/bin/python3', '-c', script, os.path.dirname(ENTRY)],
                                stdout=subprocess.PIPE, text=True, check=False).stdout
        pid, directory = output.split()
        try:
            pidfd = os.pidfd_open(int(pid))
        except ProcessLookupError:
            pass
        else:
            self.addCleanup(os.close, pidfd)
            self.assertTrue(select.select([pidfd], [], [], 20)[0], 'the holder lives on')
        self.assertFalse(os.path.exists(directory))

    def test_command_line_up_and_down(self):
        with tempfile.TemporaryDirectory() as folder:
            directory = os.path.join(folder, 'lab')

            def lab(*arguments):
                return subprocess.run([sys.executable, ENTRY, *arguments], text=True, check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env=dict(os.environ, FRAGMEND_LAB=directory))
            up = lab('up', '--dir', directory, '-k', '2', '-m', '1', '--servers', '1',
                     '--devices', '3', '--option', 'object-reconstructor:concurrency=3')
            self.assertEqual(up.returncode, 0, up.stdout)
            try:
                self.assertIn('swift-object-reconstructor', up.stdout)
                inside = lab('exec', '--', 'grep', '-r', 'concurrency = 3', '/etc/swift')
                self.assertIn('object-server/1.conf', inside.stdout)
                self.assertEqual(lab('exec', '--', 'sh', '-c', 'exit 7').returncode, 7)
                self.assertEqual(lab('fill', '--count', '3').returncode, 0)
                self.assertIn('object-server-1 pid', lab('status').stdout)
            finally:
                self.assertEqual(lab('down').returncode, 0)
            self.assertEqual(lab('status').returncode, 1)

    def test_attach_to_nothing_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises((LabError, FileNotFoundError)):
                Lab.attach(folder)

    def test_dead_lab_can_be_taken_down(self):
        lab = Lab(detached=True, k=2, m=1, servers=1, devices=3).up()
        os.kill(lab.holder_pid, signal.SIGKILL)
        # Its unshare is our child here; from the command line it would be init's.
        lab._unshare.wait()
        with self.assertRaises(LabError):
            Lab.attach(lab.directory)
        Lab.attach(lab.directory, must_run=False).down()
        self.assertFalse(os.path.exists(lab.directory))


if __name__ == '__main__':
    unittest.main()
