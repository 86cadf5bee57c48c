#!/usr/bin/python3
"""PUT, POST and DELETE as a proxy sends them: answers, files, and what containers are to be told."""

import fcntl
import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from ssync_test import OBJECTS, NOW, T, disk_state  # noqa: E402

BODY = bytes(range(256)) * 5
MD5 = hashlib.md5(BODY).hexdigest()
BOUNDARY = 'b0undary'
# Nobody listens at this port, so Swift leaves the update to its updater, as ours always does.
CONTAINER = {'X-Container-Partition': '7', 'X-Container-Host': '127.0.0.1:9',
             'X-Container-Device': 'sdz', 'X-Trans-Id': 'tx1'}


def base(at=T[8], **more):
    return {'X-Backend-Storage-Policy-Index': '1', 'X-Timestamp': at, 'Content-Type': 'text/plain',
            'X-Object-Sysmeta-Ec-Frag-Index': '2',
            **{name.replace('_', '-'): value for name, value in more.items()}}


def without(headers, *names):
    return {name: value for name, value in headers.items() if name not in names}


def chunked(data, size=1000):
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    return b''.join(b'%x\r\n%s\r\n' % (len(piece), piece) for piece in pieces) + b'0\r\n\r\n'


def two_bodies(data):
    """A first body up to the commit, and a second one with it."""
    at = data.find(b'X-Document: put commit')
    at = data.find(b'X-Document: something') if at < 0 else at
    return chunked(data) if at < 0 else chunked(data[:at]) + chunked(data[at:])


def mime(body, footers=None, md5=None, commit=None):
    """The documents of a multipart PUT."""
    text = b'--' + BOUNDARY.encode() + b'\r\nX-Document: object body\r\n\r\n' + body
    if footers is not None:
        document = json.dumps(footers).encode() if isinstance(footers, dict) else footers
        if md5 is None:
            md5 = hashlib.md5(document).hexdigest()
        text += (b'\r\n--' + BOUNDARY.encode() + b'\r\nX-Document: object metadata\r\n'
                 + (b'Content-MD5: ' + md5.encode() + b'\r\n' if md5 else b'') + b'\r\n' + document)
    if commit:
        text += b'\r\n--' + BOUNDARY.encode() + b'\r\nX-Document: ' + commit + b'\r\n\r\n'
    return text + b'\r\n--' + BOUNDARY.encode() + b'--'


FOOTER = {'X-Backend-Obj-Metadata-Footer': 'yes',
          'X-Backend-Obj-Multipart-Mime-Boundary': BOUNDARY, 'Transfer-Encoding': 'chunked'}
COMMIT = dict(FOOTER, **{'X-Backend-Obj-Multiphase-Commit': 'yes', 'Expect': '100-continue'})
SYSMETA = {'X-Object-Sysmeta-Ec-Frag-Index': '2', 'X-Object-Sysmeta-Ec-Etag': 'whole',
           'Etag': MD5, 'X-Object-Meta-Late': 'yes', 'Other': 'not kept'}


def rows():
    """(title, method, path, headers, body) of all requests."""
    o = '/sda/3/a/c/'
    many = {f'X-Object-Meta-{i}': 'v' for i in range(91)}
    return [
        ('put', 'PUT', o + 'new', base(), BODY),
        ('put chunked', 'PUT', o + 'new', base(Transfer_Encoding='chunked'), chunked(BODY)),
        ('put size told', 'PUT', o + 'new', base(Transfer_Encoding='chunked',
                                                 X_Backend_Obj_Content_Length=str(len(BODY))),
         chunked(BODY)),
        ('put size lied', 'PUT', o + 'new', base(Transfer_Encoding='chunked',
                                                 X_Backend_Obj_Content_Length='5'), chunked(BODY)),
        ('put empty', 'PUT', o + 'new', base(), b''),
        ('put large', 'PUT', o + 'new', base(), BODY * 2000),
        ('put over', 'PUT', o + 'durable', base(), BODY),
        ('put older', 'PUT', o + 'durable', base(T[0]), BODY),
        ('put at delete', 'PUT', o + 'deleted', base(T[2]), BODY),
        ('put over expired', 'PUT', o + 'expired', base(), BODY),
        ('put over pending', 'PUT', o + 'pending', base(T[1]), BODY),
        ('put etag', 'PUT', o + 'new', base(ETag=f'"{MD5}"'), BODY),
        ('put wrong etag', 'PUT', o + 'new', base(ETag='0' * 32), BODY),
        ('put if none', 'PUT', o + 'new', base(If_None_Match='*'), BODY),
        ('put if none, there', 'PUT', o + 'durable', base(If_None_Match='*'), BODY),
        ('put no type', 'PUT', o + 'new', without(base(), 'Content-Type'), BODY),
        ('put no time', 'PUT', o + 'new', without(base(), 'X-Timestamp'), BODY),
        ('put bad time', 'PUT', o + 'new', base('x'), BODY),
        ('put long name', 'PUT', o + 'n' * 1025, base(), BODY),
        ('put long value', 'PUT', o + 'new', base(X_Object_Meta_A='v' * 300), BODY),
        ('put many values', 'PUT', o + 'new', dict(base(), **many), BODY),
        ('put empty value', 'PUT', o + 'new', base(X_Object_Meta_A=''), BODY),
        ('put delete after', 'PUT', o + 'new', base(X_Delete_After='x'), BODY),
        ('put deleted in past', 'PUT', o + 'new', base(X_Delete_At='1'), BODY),
        ('put kept', 'PUT', o + 'new', base(Content_Encoding='gzip', X_Robots_Tag='x',
                                            X_Strange='lost', X_Object_Meta_A_b='1'), BODY),
        ('put not mounted', 'PUT', '/sdx/3/a/c/new', base(), BODY),
        ('put not committed', 'PUT', o + 'new', base(X_Backend_No_Commit='True'), BODY),
        ('put index', 'PUT', o + 'new', base(X_Object_Sysmeta_Ec_Frag_Index='9'), BODY),
        ('put told', 'PUT', o + 'new', dict(base(X_Backend_Container_Update_Override_Size='77',
                                                 X_Backend_Container_Update_Override_Etag='e'),
                                            **CONTAINER), BODY),
        ('put told shard', 'PUT', o + 'new',
         dict(base(X_Backend_Quoted_Container_Path='.shards_a/c-%C3%A9'), **CONTAINER), BODY),
        ('footer', 'PUT', o + 'new', dict(without(base(), 'X-Object-Sysmeta-Ec-Frag-Index'),
                                          **FOOTER), chunked(mime(BODY, SYSMETA))),
        ('footer values', 'PUT', o + 'new', dict(base(), **FOOTER, **CONTAINER),
         chunked(mime(BODY, {'X-Object-Meta-None': None, 'X-Object-Meta-True': True,
                             'X-Object-Meta-False': False, 'X-Object-Meta-Int': -7,
                             'X-Object-Meta-Text': 'caf\xc3\xa9',
                             'X-Object-Sysmeta-\xc3\xa9': 'x',
                             'X-Backend-Container-Update-Override-Etag': None,
                             'X-Backend-Container-Update-Override-Size': 77}))),
        ('footer in bits', 'PUT', o + 'new', dict(base(), **FOOTER),
         chunked(mime(BODY, SYSMETA), 7)),
        ('footer, body like a boundary', 'PUT', o + 'new', dict(base(), **FOOTER),
         chunked(mime(b'\r\n--b0undar\r\n--' * 99, {'X-Object-Meta-A': 'b'}))),
        ('footer etag wrong', 'PUT', o + 'new', dict(base(), **FOOTER),
         chunked(mime(BODY, {'Etag': '0' * 32}))),
        ('footer md5 wrong', 'PUT', o + 'new', dict(base(), **FOOTER),
         chunked(mime(BODY, SYSMETA, md5='0' * 32))),
        ('footer without md5', 'PUT', o + 'new', dict(base(), **FOOTER),
         chunked(mime(BODY, SYSMETA, md5=''))),
        ('footer no json', 'PUT', o + 'new', dict(base(), **FOOTER), chunked(mime(BODY, b'{'))),
        ('footer missing', 'PUT', o + 'new', dict(base(), **FOOTER), chunked(mime(BODY))),
        ('no boundary', 'PUT', o + 'new',
         without(dict(base(), **FOOTER), 'X-Backend-Obj-Multipart-Mime-Boundary'), chunked(BODY)),
        ('commit', 'PUT', o + 'new', dict(base(), **COMMIT),
         two_bodies(mime(BODY, SYSMETA, commit=b'put commit'))),
        ('commit over', 'PUT', o + 'durable', dict(base(), **COMMIT),
         two_bodies(mime(BODY, SYSMETA, commit=b'put commit'))),
        ('commit missing', 'PUT', o + 'new', dict(base(), **COMMIT), chunked(mime(BODY, SYSMETA))),
        ('commit of another kind', 'PUT', o + 'new', dict(base(), **COMMIT),
         two_bodies(mime(BODY, SYSMETA, commit=b'something'))),
        ('commit, no-commit', 'PUT', o + 'new', dict(base(X_Backend_No_Commit='yes'), **COMMIT),
         two_bodies(mime(BODY, SYSMETA, commit=b'put commit'))),
        ('post', 'POST', o + 'durable', base(T[5], X_Object_Meta_P='p'), b''),
        ('post no type', 'POST', o + 'durable',
         without(base(T[5], X_Object_Meta_P='p'), 'Content-Type'), b''),
        ('post told', 'POST', o + 'headers', dict(base(T[5]), **CONTAINER), b''),
        ('post sized', 'POST', o + 'sized', dict(base(T[5]), **CONTAINER), b''),
        ('post sized, same type', 'POST', o + 'sized',
         without(dict(base(T[5]), **CONTAINER), 'Content-Type'), b''),
        ('post older', 'POST', o + 'posted', base(T[2]), b''),
        ('post in past', 'POST', o + 'durable', base(T[5], X_Delete_At='1'), b''),
        ('post expired', 'POST', o + 'expired', base(T[8]), b''),
        ('post absent', 'POST', o + 'absent', base(T[8]), b''),
        ('post sysmeta', 'POST', o + 'headers', base(T[8], X_Object_Sysmeta_N='not kept'), b''),
        ('delete', 'DELETE', o + 'durable', base(T[5]), b''),
        ('delete told', 'DELETE', o + 'durable', dict(base(T[5]), **CONTAINER), b''),
        ('delete older', 'DELETE', o + 'durable', base(T[0]), b''),
        ('delete absent', 'DELETE', o + 'absent', base(T[5]), b''),
        ('delete deleted', 'DELETE', o + 'deleted', base(T[1]), b''),
        ('delete no time', 'DELETE', o + 'durable', without(base(), 'X-Timestamp'), b''),
        ('delete expired', 'DELETE', o + 'expired',
         base(T[8], X_If_Delete_At=str(NOW - 3600),
              X_Backend_Clean_Expiring_Object_Queue='no'), b''),
        ('delete expiring', 'DELETE', o + 'expired', base(T[8]), b''),
        ('put expiring', 'PUT', o + 'new', base(X_Delete_At=str(NOW + 999), X_Delete_At_Host='h:1',
                                                X_Delete_At_Container='0123456789'), BODY),
        ('delete expiring, same time', 'DELETE', o + 'expired',
         base(T[8], X_Delete_At=str(NOW - 3600)), b''),
        ('delete expiring, new time', 'DELETE', o + 'expired',
         base(T[8], X_Delete_At=str(NOW + 999), X_Delete_At_Host='h:1'), b''),
        ('put expiring far away', 'PUT', o + 'new', base(X_Delete_At='1' + '0' * 20,
                                                         X_Delete_At_Host='h:1'), BODY),
        ('post expiring far away', 'POST', o + 'durable', base(T[8], X_Delete_At='1' + '0' * 20,
                                                               X_Delete_At_Host='h:1'), b''),
        ('delete if', 'DELETE', o + 'durable', base(T[8], X_If_Delete_At='5'), b''),
        ('delete if absent', 'DELETE', o + 'absent', base(T[8], X_If_Delete_At='5'), b''),
        ('delete bad if', 'DELETE', o + 'durable', base(T[8], X_If_Delete_At='x'), b''),
    ]


def async_pending(root):
    """{path: update} of everything that waits for Swift's updater."""
    found = {}
    device = os.path.join(root, 'srv', 'sda')
    for folder, _folders, files in os.walk(device):
        for name in files if '/async_pending' in folder else ():
            with open(os.path.join(folder, name), 'rb') as handle:
                update = pickle.load(handle)
            # Who wrote it, and the full address of the request, differ.
            update['headers'] = {key.lower(): str(value) for key, value in update['headers'].items()
                                 if key.lower() not in ('user-agent', 'referer')}
            found[os.path.relpath(os.path.join(folder, name), device)] = update
    return found


class PutTable(unittest.TestCase):
    objects, policy = OBJECTS, 1

    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage(devices=('sda',))
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill(cls.objects)
        cls.servers = {kind: cls.stage.start(kind) for kind in ('swift', 'ours')}

    def renew(self):
        for server in self.servers.values():
            device = os.path.join(server.root, 'srv', 'sda')
            shutil.rmtree(device)
            subprocess.run(['cp', '-a', os.path.join(self.stage.base, 'srv', 'sda'), device],
                           check=True)

    def outcome(self, server, row):
        _title, method, path, headers, body = row
        headers = dict(headers, **{'X-Backend-Storage-Policy-Index': str(self.policy)})
        answer = server.request(method, path, headers, body)
        fields = {name: value for name, value in answer.headers.items()
                  if name not in ('date', 'connection')}
        body = answer.body
        if answer.status == 500:
            fields, body = {}, b''
        pending = async_pending(server.root)
        state = {path: value for path, value in disk_state(server.root).items()
                 if not re.match(r'(async_pending|tmp)', path)}
        return (answer.status, fields, body), state, pending

    def test_every_answer_and_every_file_is_swifts(self):
        wrong, statuses = [], {}
        for row in rows():
            self.renew()
            theirs = self.outcome(self.servers['swift'], row)
            ours = self.outcome(self.servers['ours'], row)
            statuses[theirs[0][0]] = statuses.get(theirs[0][0], 0) + 1
            if theirs[0] != ours[0] or theirs[2] != ours[2]:
                wrong.append(f'{row[0]}\n  swift {theirs[0]} {theirs[2]}\n  ours  {ours[0]} {ours[2]}')
            elif theirs[1] != ours[1]:
                paths = sorted(path for path in {**theirs[1], **ours[1]}
                               if theirs[1].get(path, 0) != ours[1].get(path, 0))
                wrong.append(f'{row[0]}: disk\n' + '\n'.join(
                    f'  {path}\n   swift {str(theirs[1].get(path, "absent"))[-600:]}\n'
                    f'   ours  {str(ours[1].get(path, "absent"))[-600:]}' for path in paths))
        print(len(rows()), 'requests', dict(sorted(statuses.items())))
        self.assertEqual(wrong, [], '\n' + '\n'.join(wrong[:12]) + f'\n{len(wrong)} differ')

    def test_the_conversation_of_two_phases(self):
        """Each `100 Continue` comes when its phase is done, and not before."""
        for server in self.servers.values():
            self.renew()
            connection = server.connect()
            headers = dict(base(), **COMMIT, Host='x')
            head = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
            connection.sendall(f'PUT /sda/3/a/c/phases HTTP/1.1\r\n{head}\r\n'.encode())
            stream = connection.makefile('rb')
            def read_head():
                lines = []
                while True:
                    line = stream.readline()
                    lines.append(line)
                    if line in (b'\r\n', b''):
                        return b''.join(lines)
            first = read_head()
            self.assertTrue(first.startswith(b'HTTP/1.1 100 Continue\r\n'), first)
            self.assertIn(b'X-Obj-Metadata-Footer: yes\r\n', first)
            self.assertIn(b'X-Obj-Multiphase-Commit: yes\r\n', first)
            text = mime(BODY, SYSMETA, commit=b'put commit')
            at = text.index(b'X-Document: put commit')
            def send(piece):
                connection.sendall(b'%x\r\n%s\r\n' % (len(piece), piece))
            send(text[:at])
            connection.sendall(b'0\r\n\r\n')
            self.assertTrue(read_head().startswith(b'HTTP/1.1 100 Continue\r\n'))
            waiting = [path for path in disk_state(server.root) if path.endswith('#2.data')
                       and T[8] in path]
            self.assertEqual(len(waiting), 1, server.kind)
            send(text[at:])
            connection.sendall(b'0\r\n\r\n')
            self.assertTrue(read_head().startswith(b'HTTP/1.1 201 Created\r\n'))
            self.assertIn(waiting[0].replace('#2.data', '#2#d.data'), disk_state(server.root))
            connection.close()

    def test_swifts_updater_reads_what_is_left_for_it(self):
        self.renew()
        server = self.servers['ours']
        server.request('PUT', '/sda/3/a/c/new', dict(base(), **CONTAINER), BODY)
        pending = async_pending(server.root)
        self.assertEqual([update['op'] for update in pending.values()], ['PUT'])

    def test_a_body_that_comes_too_slowly(self):
        """Not 64 KiB in a client_timeout, however often something comes."""
        for server in self.servers.values():
            connection = server.connect()
            head = ''.join(f'{name}: {value}\r\n' for name, value in base().items())
            connection.sendall(f'PUT /sda/3/a/c/slow HTTP/1.1\r\nHost: x\r\n{head}'
                               f'Content-Length: 200000\r\n\r\n'.encode() + b'x' * 70000)
            connection.settimeout(0.5)
            give_up, said = time.monotonic() + 20, b''
            while not said and time.monotonic() < give_up:
                connection.sendall(b'x')
                try:
                    said = connection.recv(1000)
                except TimeoutError:
                    pass
            self.assertIn(b' 408 ', said, server.kind)
            connection.close()

    def test_a_folded_header_is_stored_as_one_line(self):
        folded = base(X_Object_Meta_Folded='one\r\n two')
        for server in self.servers.values():
            self.renew()
            self.assertEqual(server.request('PUT', '/sda/3/a/c/new', folded, BODY).status, 201)
            answer = server.request('POST', '/sda/3/a/c/new', dict(folded, **{'X-Timestamp': T[9]}))
            self.assertEqual(answer.status, 202, server.kind)
            answer = server.request('HEAD', '/sda/3/a/c/new', folded)
            self.assertEqual(re.sub(r'\s+', ' ', answer.headers['x-object-meta-folded'][0]),
                             'one two', server.kind)

    def test_a_body_that_breaks_off_leaves_nothing(self):
        for server in self.servers.values():
            self.renew()
            before = disk_state(server.root)
            for size in (10, 700000):
                connection = server.connect()
                head = ''.join(f'{name}: {value}\r\n' for name, value in base().items())
                connection.sendall(f'PUT /sda/3/a/c/short HTTP/1.1\r\nHost: x\r\n{head}'
                                   f'Content-Length: 900000\r\n\r\n'.encode() + b'x' * size)
                # Whoever closes its side has dealt with the request.
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(20)
                while connection.recv(65536):
                    pass
                connection.close()
            two_servers.wait_until(lambda: not open_files(server), 'unfinished files to be closed')
            after = disk_state(server.root)
            self.assertEqual([path for path in after if path.endswith('.data')],
                             [path for path in before if path.endswith('.data')], server.kind)


def open_files(server):
    """Unfinished files that a server still holds."""
    folder = f'/proc/{server.process.pid}/fd'
    found = []
    for name in os.listdir(folder):
        try:
            target = os.readlink(os.path.join(folder, name))
        except OSError:
            continue
        if target.startswith(server.root) and '(deleted)' in target:
            found.append(target)
    return found


class OurServer(unittest.TestCase):
    """What has no counterpart to be compared with, or differs by intent."""

    def setUp(self):
        self.stage = two_servers.Stage(devices=('sda',))
        self.addCleanup(self.stage.close)

    def begin_put(self, server):
        connection = server.connect()
        self.addCleanup(connection.close)
        head = ''.join(f'{name}: {value}\r\n' for name, value in base().items())
        connection.sendall(f'PUT /sda/3/a/c/begun HTTP/1.1\r\nHost: x\r\n{head}'
                           f'Expect: 100-continue\r\nContent-Length: 4\r\n\r\n'.encode())
        self.assertIn(b'100 Continue', connection.recv(1000))
        connection.sendall(b'ab')
        return connection

    def test_hangup_and_reload_let_what_has_begun_end(self):
        for how in (signal.SIGHUP, signal.SIGUSR1):
            server = self.stage.start('ours')
            idle, busy = server.connect(), self.begin_put(server)
            server.process.send_signal(how)
            self.assertEqual(idle.recv(1), b'')
            with self.assertRaises(ConnectionRefusedError):
                server.connect()
            busy.sendall(b'cd')
            self.assertIn(b'201 Created', busy.recv(1000))
            self.assertEqual(server.process.wait(20), 0, server.log())
            self.assertIn('Exited', server.log())

    def test_term_ends_at_once_even_behind_a_hangup(self):
        server = self.stage.start('ours')
        busy = self.begin_put(server)
        server.process.send_signal(signal.SIGHUP)
        two_servers.wait_until(lambda: server.process.poll() is not None
                               or 'SIGHUP received' in server.log(), 'the hangup')
        self.assertIsNone(server.process.poll())
        self.assertEqual(server.stop(), 0)
        try:
            self.assertEqual(busy.recv(1000), b'')
        except ConnectionResetError:
            pass

    def test_writes_that_would_have_to_be_relinked_are_refused(self):
        """Swift links them below both partitions; here a write that only one has would be lost or,
        a deletion, undone when the part power changes."""
        for kind in ('ours', 'swift'):
            server = self.stage.start(kind)
            path = '/sda/3/a/c/new'
            self.assertEqual(server.request('PUT', path, base(), BODY).status, 201)
            before = disk_state(server.root)
            more = {'X-Backend-Next-Part-Power': '20'}
            statuses = [server.request('PUT', path, dict(base(T[9]), **more), BODY).status,
                        server.request('POST', path, dict(base(T[10]), **more)).status,
                        server.request('DELETE', path, dict(base(T[11]), **more)).status]
            if kind == 'swift':
                self.assertEqual(statuses, [201, 202, 204])
                partitions = os.listdir(os.path.join(server.root, 'srv', 'sda', 'objects-1'))
                self.assertEqual(len(partitions), 2, partitions)
                continue
            self.assertEqual(statuses, [503, 503, 503])
            self.assertEqual(disk_state(server.root), before)
            self.assertEqual(server.request('HEAD', path, dict(base(), **more)).status, 200)
            digest = hashlib.md5(b'pre/a/c/newinterop').digest()
            moved = f'/sda/{int.from_bytes(digest[:4], "big") >> 12}/a/c/new'
            self.assertEqual(server.request('PUT', moved, dict(base(), **more), BODY).status, 201)
            self.assertEqual(server.log().count('are refused with 503'), 1)

    def test_max_header_size_is_that_of_header_lines(self):
        with open(os.path.join(self.stage.base, 'swift.conf'), 'a', encoding='ascii') as out:
            out.write('[swift-constraints]\nmax_header_size = 20000\n')
        for kind in ('swift', 'ours'):
            server = self.stage.start(kind)
            answer = server.request('PUT', '/sda/3/a/c/new', base(X_Token='t' * 12000), BODY)
            self.assertEqual(answer.status, 201, kind)
            answer = server.request('PUT', '/sda/3/a/c/new', base(T[9], X_Token='t' * 21000), BODY)
            self.assertEqual(answer.status, 400, kind)

    def test_hashing_leaves_disk_threads_to_others(self):
        server = self.stage.start('ours', fragmend_disk_threads=4, client_timeout=20)
        self.assertEqual(server.request('PUT', '/sda/3/a/c/new', base(), BODY).status, 201)
        partition = os.path.join(server.root, 'srv', 'sda', 'objects-1', '3')
        with open(os.path.join(partition, '.lock'), 'ab') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = [server.connect() for _ in range(8)]
            for peer in waiting:
                self.addCleanup(peer.close)
                peer.sendall(b'REPLICATE /sda/3 HTTP/1.1\r\nHost: x\r\n'
                             b'X-Backend-Storage-Policy-Index: 1\r\n\r\n')
            started = time.monotonic()
            while time.monotonic() - started < 1:
                self.assertEqual(server.request('HEAD', '/sda/3/a/c/new', base()).status, 200)
            # One starved disk thread would be held for 10 s.
            self.assertLess(time.monotonic() - started, 6)
        for peer in waiting:
            self.assertTrue(peer.recv(1000).startswith(b'HTTP/1.1 200 OK'))


class Monitoring(unittest.TestCase):
    def test_health_and_recon(self):
        stage = two_servers.Stage(devices=('sda',))
        self.addCleanup(stage.close)
        server = stage.start('ours', recon_cache_path=stage.folder)
        health = server.request('GET', '/healthcheck')
        self.assertEqual((health.status, health.body), (200, b'OK'))
        with open(os.path.join(stage.folder, 'object.recon'), 'w', encoding='ascii') as out:
            json.dump({'object_reconstruction_time': 7.5, 'async_pending': 3}, out)
        def recon(what):
            answer = server.request('GET', '/recon/' + what)
            self.assertEqual(answer.headers['content-type'], ['application/json'])
            return json.loads(answer.body)
        self.assertEqual(recon('async'), {'async_pending': 3, 'async_pending_last': None})
        self.assertEqual(recon('reconstruction/object'), {'object_reconstruction_time': 7.5,
                                                          'object_reconstruction_last': None})
        self.assertEqual(recon('unmounted'), [{'device': 'sda', 'mounted': False}])
        self.assertEqual(recon('quarantined')['objects'], 0)
        self.assertIn('MemTotal', recon('mem'))
        self.assertIn('1m', recon('load'))
        self.assertAlmostEqual(recon('time'), time.time(), delta=60)
        self.assertEqual(list(recon('swiftconfmd5').values()),
                         [hashlib.md5(two_servers.SWIFT_CONF.encode()).hexdigest()])
        for what in ('version', 'mounted', 'diskusage', 'devices', 'ringmd5', 'sockstat',
                     'replication/object', 'auditor/object', 'updater/object', 'expirer/object',
                     'driveaudit', 'relinker'):
            recon(what)
        self.assertEqual(server.request('GET', '/recon/nonsense').status, 404)


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
