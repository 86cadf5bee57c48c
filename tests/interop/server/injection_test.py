#!/usr/bin/python3
"""One PUT and one SSYNC session, ended or failed at each of their system calls.

Afterwards every object is as it was or as it was to become, all of it if that was acknowledged; no
file is half there, none is left over, and the hashes are those of the files. A sample that
FRAGMEND_SEED repeats, or with FRAGMEND_FULL=1 every call."""

import hashlib
import os
import pickle
import random
import re
import resource
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from kill_test import body_of, stored  # noqa: E402
from put_test import BODY, COMMIT, SYSMETA, base, mime, two_bodies  # noqa: E402
from ssync_client import Session, object_hash, offers, sub_request, updates  # noqa: E402
from ssync_test import T, meta, planned, put  # noqa: E402

FULL = bool(os.environ.get('FRAGMEND_FULL'))
SEED = int(os.environ.get('FRAGMEND_SEED', time.time_ns() % 1000000))
SAMPLE = 5      # Of the places of each campaign.
POLICY = {'X-Backend-Storage-Policy-Index': '1'}
OBJECTS = [planned('over', put()), planned('pending', put(durable=False)), planned('posted', put()),
           planned('deleted', put()), planned('bystander', put())]
SENT = {'/a/c/new': body_of('new', 5000), '/a/c/large': body_of('large', 700000),
        '/a/c/over': body_of('over', 100)}
NAMES = [one['name'] for one in OBJECTS] + ['/a/c/new', '/a/c/large', '/a/c/plain']
# Calls that touch a disk, and how they fail there.
FAILURES = {'EIO': {'openat', 'mkdir', 'linkat', 'rename', 'unlink', 'unlinkat', 'rmdir', 'fsync',
                    'fallocate', 'write', 'fsetxattr', 'fgetxattr', 'getdents64', 'flock',
                    'newfstatat', 'fstat', 'fstatfs', 'read', 'pread64', 'ftruncate'},
            'ENOSPC': {'openat', 'mkdir', 'linkat', 'rename', 'fsync', 'fallocate', 'write',
                       'fsetxattr'},
            'EDQUOT': {'openat', 'mkdir', 'linkat', 'rename', 'fsync', 'fallocate', 'write',
                       'fsetxattr'}}


def ssync_session(server):
    """Commits, stores, posts and deletes in one session; the names that it acknowledged."""
    session = Session(server)
    try:
        if session.status != 200:
            return [], session.head
        session.send(offers(f'{object_hash("/a/c/pending")} {T[1]}'.encode()))
        if not session.read_until(b':MISSING_CHECK: END\r\n'):
            return [], session.received
        session.send(updates(
            *[sub_request('PUT', name, meta(T[6]), body) for name, body in SENT.items()],
            sub_request('POST', '/a/c/posted', {'X-Timestamp': T[6], 'X-Object-Meta-P': 'p'}),
            sub_request('DELETE', '/a/c/deleted', {'X-Timestamp': T[6]})))
        answer = session.read_to_end()
    finally:
        session.close()
    done = b':UPDATES: END\r\n' in answer
    return [*SENT, '/a/c/posted', '/a/c/deleted'] if done else [], answer


def plain_put(server):
    """A proxy's PUT with footers and a second phase."""
    headers = dict(base(T[6]), **COMMIT)
    answer = server.request('PUT', '/sda/3/a/c/plain', headers,
                            two_bodies(mime(BODY, SYSMETA, commit=b'put commit')))
    return ['/a/c/plain'] if answer.status == 201 else [], answer.status


class Trace:
    """strace on a running server: on all of its threads, or on those that work on disks."""

    def __init__(self, server, *options, disks_only=False):
        pid = server.process.pid
        threads = sorted(int(name) for name in os.listdir(f'/proc/{pid}/task'))
        if disks_only:
            threads.remove(pid)
        pids = [word for one in threads for word in ('-p', str(one))]
        self.process = subprocess.Popen(['strace', '-qq', '-f', *pids, *options],
                                        stderr=subprocess.DEVNULL)
        try:
            two_servers.wait_until(lambda: all(self.is_traced(pid, one) for one in threads),
                                   'strace to be attached')
        except AssertionError:
            self.end()
            raise

    @staticmethod
    def is_traced(pid, thread):
        """Also true of one that ended: an injected call may come before the last is traced."""
        try:
            with open(f'/proc/{pid}/task/{thread}/status', encoding='ascii') as status:
                told = status.read()
        except OSError:
            return True
        # A process that ended stays listed, by nobody traced, until it is waited for.
        return bool(re.search(r'State:\t[ZX]', told)) or 'TracerPid:\t0\n' not in told

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            # It may wait for ever for a thread that ended while it was let go.
            self.process.kill()
            self.process.wait()


@unittest.skipUnless(shutil.which('strace'), 'no strace')
class EveryCall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage(devices=('sda',))
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill(OBJECTS)
        cls.before = cls.states_of_a_run(lambda server: None)

    @classmethod
    def start(cls, root=None, **options):
        server = two_servers.Server('ours', root or cls.stage.copy('ours'),
                                    dict(options, fragmend_disk_threads=1))
        # Known hashes: what happens now has to take back what they say.
        if root is None:
            server.request('REPLICATE', '/sda/3', POLICY)
        return server

    @classmethod
    def states_of_a_run(cls, script):
        server = cls.start()
        try:
            script(server)
            return cls.states(server)
        finally:
            server.stop()

    @staticmethod
    def states(server):
        """{name: what a reader is told}. Not by GET, which would look into these fragments."""
        found = {}
        for name in NAMES:
            answer = server.request('HEAD', '/sda/3' + name, dict(POLICY, **{
                'X-Backend-Fragment-Preferences': '[]'}))
            found[name] = (answer.status, answer.headers.get('etag'),
                           answer.headers.get('x-backend-timestamp'),
                           answer.headers.get('x-backend-durable-timestamp'),
                           answer.headers.get('x-object-meta-p'))
        return found

    def count_calls(self, script, disks_only):
        """{call: how often one thread makes it at most} in one run of the script."""
        server = self.start()
        path = os.path.join(self.stage.folder, 'calls')
        try:
            trace = Trace(server, '-o', path, '-e', 'trace=all', disks_only=disks_only)
            script(server)
            trace.end()
        finally:
            server.stop()
        counts = {}
        with open(path, encoding='ascii', errors='replace') as lines:
            for line in lines:
                found = re.match(r'(\d+) +(\w+)\(', line)
                if found and 'resumed' not in line[:40]:
                    counts[found.groups()] = counts.get(found.groups(), 0) + 1
        most = {}
        for (_thread, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        return most

    def check_afterwards(self, root, acknowledged, what):
        """Starts a server anew and looks at everything. Returns how many objects changed."""
        found, odd = stored(os.path.join(root, 'srv', 'sda'))
        odd = [path for path in odd if not path.endswith(('.meta', '.ts'))]
        self.assertEqual(odd, [], f'{what}: left over')
        for name, (_file, data, items) in found.items():
            self.assertEqual(hashlib.md5(data).hexdigest(), items[b'ETag'].decode(), (what, name))
            self.assertEqual(len(data), int(items[b'Content-Length']), (what, name))
        server = self.start(root)
        try:
            told = pickle.loads(server.request('REPLICATE', '/sda/3', POLICY).body)
            partition = os.path.join(root, 'srv', 'sda', 'objects-1', '3')
            for name in ('hashes.pkl', 'hashes.invalid'):
                if os.path.exists(os.path.join(partition, name)):
                    os.unlink(os.path.join(partition, name))
            self.assertEqual(told, pickle.loads(server.request('REPLICATE', '/sda/3', POLICY).body),
                             f'{what}: hashes that are not those of the files')
            states = self.states(server)
        finally:
            server.stop()
        # Like Swift, we quarantine what cannot even be looked at.
        folder = os.path.join(root, 'srv', 'sda', 'quarantined', 'objects-1')
        quarantined = os.listdir(folder) if what.startswith('EIO') and os.path.isdir(folder) else []
        for name, state in states.items():
            if state[0] == 404 and object_hash(name) in quarantined and name not in acknowledged:
                continue
            if name in acknowledged:
                self.assertEqual(state, self.after[name], f'{what}: {name} acknowledged')
            else:
                self.assertIn(state, (self.before[name], self.after[name], *self.between(name)),
                              f'{what}: {name}')
        return sum(states[name] != self.before[name] for name in states)

    def between(self, name):
        """A PUT in two phases may have ended after its first one."""
        if name != '/a/c/plain' or self.after[name][0] != 200:
            return []
        return [self.after[name][:3] + (None,) + self.after[name][4:]]

    def one_run(self, script, what, options, *, dies=False, limit=None):
        """Returns (died or was told, objects changed)."""
        server = self.start(**({'disable_fallocate': 'yes'} if limit else {}))
        acknowledged = []
        trace = None
        try:
            if limit:
                resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
            else:
                trace = Trace(server, '-o', '/dev/null', *options, disks_only=not dies)
            try:
                acknowledged, told = script(server)
            except (OSError, ValueError, AssertionError, IndexError) as err:
                told = err
            if dies:
                server.stop(9)
            if trace:
                trace.end()
            if not dies:
                self.assertIsNone(server.process.poll(), f'{what}: {server.log()[-2000:]}')
                if script is plain_put:
                    self.assertIn(told, (201, 404, 500, 503, 507), what)
                else:
                    self.assertRegex(told, b':UPDATES: END\r\n|:ERROR: (0|500|503) '
                                     b'|^HTTP/1.1 (500|507) ', what)
        finally:
            server.stop(9 if dies else 15)
        changed = self.check_afterwards(server.root, acknowledged, what)
        return not acknowledged, changed

    def places(self, calls):
        """(call, which one) of all calls, or of some that the seed chooses."""
        everywhere = [(call, place) for call, most in sorted(calls.items())
                      for place in range(1, most + 1)]
        if FULL or len(everywhere) <= SAMPLE:
            return everywhere
        return sorted(self.dice.sample(everywhere, SAMPLE))

    def campaign(self, script, title):
        print(f'FRAGMEND_SEED={SEED}')
        self.dice = random.Random(SEED)
        type(self).after = self.states_of_a_run(script)
        wanted = ('/a/c/plain',) if script is plain_put else (*SENT, '/a/c/posted', '/a/c/deleted')
        for name in wanted:
            self.assertNotEqual(self.after[name], self.before[name], name)
        runs = felt = changed = 0
        for call, place in self.places(self.count_calls(script, False)):
            one = self.one_run(script, f'kill at {call} {place}', [
                '-e', f'trace={call}', '-e', f'inject={call}:signal=KILL:when={place}'], dies=True)
            runs, felt, changed = runs + 1, felt + one[0], changed + one[1]
        print(f'{title}: {runs} kills, {felt} without acknowledgement, {changed} objects changed',
              flush=True)
        calls = self.count_calls(script, True)
        for error, which in FAILURES.items():
            runs = felt = 0
            for call, place in self.places({one: calls[one] for one in calls if one in which}):
                felt += self.one_run(script, f'{error} at {call} {place}', [
                    '-e', f'trace={call}', '-e', f'inject={call}:error={error}:when={place}'])[0]
                runs += 1
            print(f'{title}: {runs} times {error}, {felt} told', flush=True)
        self.assertGreater(len(calls), 10)

    def test_a_session_of_ssync(self):
        self.campaign(ssync_session, 'SSYNC')

    def test_a_put_in_two_phases(self):
        self.campaign(plain_put, 'PUT')

    def test_files_that_must_not_grow(self):
        """A limit for the size of files: a write that is short, and then one that fails."""
        for script in (ssync_session, plain_put):
            type(self).after = self.states_of_a_run(script)
            for limit in (50, 1000, 4096, 300000, 524288, 699999) if script is ssync_session \
                    else (50, 1000):
                told, _changed = self.one_run(script, f'files up to {limit}', [], limit=limit)
                self.assertTrue(told, limit)


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
