#!/usr/bin/python3
"""GET, HEAD, REPLICATE and OPTIONS: the same requests to Swift's object server and to ours."""

import http.client
import json
import os
import re
import socket
import sys
import time
import unittest
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402

T = ['%016.5f' % (time.time() - 5000 + i * 10) for i in range(10)]
NEXT_YEAR = str(int(time.time()) + 365 * 86400)
LONG_AGO = str(int(time.time()) - 86400)
POLICY = {'X-Backend-Storage-Policy-Index': '1'}


def coded(name, *events, partition='3'):
    return {'device': 'sda', 'partition': partition, 'policy': 1, 'name': '/a/c/' + name,
            'events': list(events)}


def put(at=T[1], size=3000, index=2, **more):
    return {'op': 'put', 'at': at, 'bytes': size, 'index': index, **more}


ODD = {'X-Object-Meta-Color': 'blue', 'X-Object-Meta-Caf\u00c3\u00a9': 'cr\u00c3\u00a8me',
       'X-Object-Transient-Sysmeta-T': 't', 'X-Object-Sysmeta-Lab': 's', 'X-Delete-At': NEXT_YEAR,
       'Content-Encoding': 'gzip', 'X-Static-Large-Object': 'True', 'X-Unknown': 'u',
       'Content-Disposition': 'attachment; filename="x y"', 'Expires': 'never'}

OBJECTS = [
    coded('plain', put()),
    coded('odd', put(headers=ODD)),
    coded('empty', put(size=0)),
    coded('large', put(size=700000)),
    coded('boundary', put(size=65536 * 3)),
    coded('posted', put(), {'op': 'post', 'at': T[3], 'headers': {'X-Object-Meta-B': '2'}}),
    coded('posted-type', put(), {'op': 'post', 'at': T[3], 'headers': {},
                                 'content_type': 'image/png', 'content_type_at': T[2]}),
    coded('deleted', put(), {'op': 'delete', 'at': T[4]}),
    coded('expired', put(headers={'X-Delete-At': LONG_AGO})),
    coded('not-durable', put(durable=False)),
    coded('two', put(index=1), put(index=4)),
    coded('newer-not-durable', put(), put(at=T[5], index=0, size=100, durable=False)),
    coded('offset', put(at=T[1] + '_000000000000000a')),
    coded('d\u00e9ep/er name?', put()),
]
DAMAGED = [
    coded('bad-header', put(corrupt='header'), partition='4'),
    coded('bad-header-large', put(size=900000, corrupt='header'), partition='4'),
    coded('bad-payload', put(corrupt='payload'), partition='5'),
    coded('bad-md5', put(corrupt='md5'), partition='6'),
]
FOLDED = [coded('folded', put(headers={'X-Object-Meta-Folded': 'one\r\n\t two',
                                       'X-Object-Meta-Broken': 'a\nX-Timestamp: 1'}),
                partition='7')]

VERIFIES = {'X-Backend-Replication': 'True', 'X-Fragmend-Reader-Verifies': 'md5'}


def path(name, partition='3', device='sda'):
    return f'/{device}/{partition}/a/c/{quote(name)}'


def preferences(*pairs):
    return {'X-Backend-Fragment-Preferences':
            json.dumps([{'timestamp': at, 'exclude': exclude} for at, exclude in pairs])}


def table():
    """(method, path, headers) of all requests."""
    rows = []
    for planned in OBJECTS:
        name = planned['name'][5:]
        for method in ('GET', 'HEAD'):
            rows.append((method, path(name), {}))
            rows.append((method, path(name), {'X-Backend-Replication': 'True'}))
            rows.append((method, path(name), preferences()))
            rows.append((method, path(name), preferences((T[1], []))))
            rows.append((method, path(name), preferences((T[1], [2, 1]), (T[5], []))))
    for value in ('bytes=0-', 'bytes=0-9', 'bytes=5-5', 'bytes=-7', 'bytes=-0', 'bytes=-99999999',
                  'bytes=9999999-', 'bytes=3-2', 'bytes=a-b', 'bytes=-', 'items=0-1', 'bytes=1',
                  'bytes=0-4,10-14', 'bytes= 0-0 , -1', 'bytes=0-9,5-14,7-20,8-21', 'Bytes=2-3',
                  'bytes=0-1,9999999-', 'bytes=20-21,10-11', 'bytes=0-99999999',
                  'bytes=0-' + '9' * 30, 'bytes=-' + '9' * 30, 'bytes=' + '9' * 30 + '-',
                  'bytes=' + ','.join(f'{i}-{i}' for i in range(0, 120, 2)),
                  'bytes=' + ','.join(f'{i}-{i}' for i in range(40, 20, -2))):
        for name in ('plain', 'empty', 'large'):
            rows.append(('GET', path(name), {'Range': value}))
        rows.append(('HEAD', path('plain'), {'Range': value}))
    for value in ('bytes=0-', 'bytes=1-', 'bytes=-300000', 'bytes=0-200000,300000-600000'):
        rows.append(('GET', path('large'), {'Range': value, **VERIFIES}))
    rows.append(('GET', path('odd'),
                 {'Range': 'bytes=0-4',
                  'X-Backend-Ignore-Range-If-Metadata-Present': 'x-static-large-object'}))
    rows.append(('GET', path('plain'),
                 {'Range': 'bytes=0-4',
                  'X-Backend-Ignore-Range-If-Metadata-Present': 'x-static-large-object'}))
    rows += conditional_rows() + refused_rows()
    return rows


def conditional_rows():
    rows = []
    dates = [time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(float(T[1]) + shift))
             for shift in (-100, 0, 1, 2, 100)] + ['nonsense', '']
    for method in ('GET', 'HEAD'):
        for name in ('plain', 'deleted', 'missing'):
            for field in ('If-Match', 'If-None-Match'):
                for value in ('*', '"*"', '"0123"', '0123, "4567"', '', 'ETAG', '"ETAG"', 'ECETAG'):
                    rows.append((method, path(name), {field: value}))
                    rows.append((method, path(name),
                                 {field: value,
                                  'X-Backend-Etag-Is-At': 'X-None, X-Object-Sysmeta-Ec-Etag'}))
        for field in ('If-Modified-Since', 'If-Unmodified-Since'):
            rows += [(method, path('plain'), {field: value}) for value in dates]
        rows.append((method, path('plain'), {'If-None-Match': '*', 'Range': 'bytes=0-1'}))
    return rows


def refused_rows():
    rows = [('GET', '/sda/3/a/c', {}), ('GET', '/sda/3/a', {}), ('GET', '/', {}), ('GET', '//', {}),
            ('GET', '/sda/3//c/o', {}), ('GET', '/./3/a/c/o', {}), ('GET', '/../3/a/c/o', {}),
            ('GET', '/sda/../a/c/o', {}), ('GET', '/nosuch/3/a/c/plain', {}),
            ('GET', '/s%20a/3/a/c/plain', {}), ('GET', '/sda/3/a/c/%ff%fe', {}),
            ('GET', '/sda/3/a/c/x%00y', {}), ('GET', '/sda/3/a/%00c/y', {}),
            ('GET', '/sda/3/%00a/%00c/%00y', {}), ('GET', '/sda/3/.a/c/%00y', {}),
            ('GET', path('plain') + '/', {}), ('GET', path('plain') + '?x=y', {}),
            ('GET', path('plain', partition='9'), {}),
            ('GET', path('plain'), {'X-Timestamp': 'nonsense'}),
            ('GET', path('plain'), {'X-Timestamp': T[0]}),
            ('GET', path('expired'), {'X-Timestamp': str(int(LONG_AGO) - 10)}),
            ('GET', path('plain'), {'X-Backend-Fragment-Preferences': 'no json'}),
            ('GET', path('plain'), {'X-Backend-Fragment-Preferences': 'null'}),
            ('TRACE', path('plain'), {}), ('__init__', path('plain'), {}), ('get', path('plain'), {}),
            ('REPLICATE', '/sda', {}), ('REPLICATE', '/nosuch/3', {}), ('REPLICATE', '/sda/3/', {}),
            ('REPLICATE', '/sda/777', {}), ('REPLICATE', '/sda/3/abc-xyz-0f-123', {}),
            ('REPLICATE', '/sda/778/abc', {}), ('REPLICATE', '/sda/3', {})]
    for index in ('7', 'x', '-1', '1 '):
        rows.append(('GET', path('plain'), {'X-Backend-Storage-Policy-Index': index}))
        rows.append(('REPLICATE', '/sda/3', {'X-Backend-Storage-Policy-Index': index}))
    # Malformed preferences are a 500 with a traceback there, so only the status is alike.
    rows += [('GET', path('plain'), {'X-Backend-Fragment-Preferences': value})
             for value in ('[{}]', '[1]', '{"timestamp": 1}', '[{"timestamp": "x", "exclude": []}]',
                           '[{"timestamp": 1, "exclude": [-1]}]', '"text"',
                           '[{"timestamp": 1, "exclude": 3}]')]
    return rows


def comparable(answer, row):
    """What must be equal: not the moment, not a random boundary, not a traceback."""
    headers = {name: value for name, value in answer.headers.items() if name != 'date'}
    body = answer.body
    if answer.status == 500:
        headers, body = {}, b''
    boundary = re.search(r'boundary=([0-9a-f]{32})', headers.get('content-type', [''])[0])
    if boundary:
        headers['content-type'] = ['multipart/byteranges']
        body = body.replace(boundary.group(1).encode(), b'BOUNDARY')
    if row[0] == 'REPLICATE' and answer.status == 200:
        import pickle
        body = pickle.loads(body)
        headers.pop('content-length')
    return answer.status, answer.reason, headers, body, answer.cut


class GetTable(unittest.TestCase):
    objects, damaged, policy, quarantine = OBJECTS, DAMAGED, POLICY, 'objects-1'
    folded = FOLDED

    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage()
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill(cls.objects + cls.damaged + cls.folded)
        cls.swift = cls.stage.start('swift')
        cls.ours = cls.stage.start('ours')

    def compare(self, row, tags=()):
        method, where, headers = row
        sent = {**self.policy, **headers}
        for name, value in sent.items():
            for tag, etag in tags:
                value = value.replace(tag, etag)
            sent[name] = value
        theirs = comparable(self.swift.request(method, where, sent), row)
        ours = comparable(self.ours.request(method, where, sent), row)
        return theirs, ours

    def test_every_answer_is_swifts(self):
        plain = self.swift.request('HEAD', path('plain'), self.policy).headers
        tags = [('ECETAG', plain.get('x-object-sysmeta-ec-etag', ['none'])[0]),
                ('ETAG', plain['etag'][0].strip('"'))]
        wrong, statuses = [], {}
        rows = table()
        for row in rows:
            theirs, ours = self.compare(row, tags)
            statuses[theirs[0]] = statuses.get(theirs[0], 0) + 1
            if theirs != ours:
                wrong.append(f'{row}\n  swift {theirs}\n  ours  {ours}')
        print(len(rows), 'requests', dict(sorted(statuses.items())))
        self.assertGreater(len(statuses), 8)
        self.assertEqual(wrong, [], '\n' + '\n'.join(wrong[:20]) + f'\n{len(wrong)} differ')

    def test_damage_is_quarantined_and_never_answered_whole(self):
        for planned in self.damaged:
            name, partition = planned['name'][5:], planned['partition']
            if self.quarantine == 'objects-1':
                # A rebuild that verifies is sent what is there; its second look tells the server.
                answer = self.ours.request('GET', path(name, partition), {**self.policy, **VERIFIES})
                self.assertEqual((answer.status, answer.cut), (200, False), f'{name}: {answer}')
            # Not on the replication path, the promise is of no account.
            promise = {'X-Fragmend-Reader-Verifies': 'md5'}
            answer = self.ours.request('GET', path(name, partition), {**self.policy, **promise})
            self.assertTrue(answer.status == 404 or answer.cut, f'{name}: {answer}')
            self.assertEqual(self.ours.request('GET', path(name, partition), self.policy).status, 404)
            # Swift sends the bytes of such an archive, and quarantines it as well.
            self.swift.request('GET', path(name, partition), self.policy)
            self.assertEqual(self.swift.request('GET', path(name, partition), self.policy).status, 404)
        def names(server):
            folder = os.path.join(server.root, 'srv', 'sda', 'quarantined', self.quarantine)
            return sorted(os.listdir(folder))
        self.assertEqual(names(self.swift), names(self.ours))
        self.assertEqual(len(names(self.ours)), len(self.damaged))

    def test_folded_metadata_comes_as_one_line_and_broken_lines_not_at_all(self):
        answer = self.ours.request('GET', path('folded', '7'), self.policy)
        self.assertEqual((answer.status, answer.cut), (200, False))
        self.assertEqual(answer.headers['x-object-meta-folded'], ['one two'])
        self.assertNotIn('x-object-meta-broken', answer.headers)
        self.assertEqual(answer.headers['x-timestamp'], [T[1]])

    def test_options_name_what_is_served(self):
        theirs = self.swift.request('OPTIONS', '/', {})
        ours = self.ours.request('OPTIONS', '/', {})
        self.assertEqual((theirs.status, theirs.headers['allow']),
                         (ours.status, ours.headers['allow']))


class LargeAndUnchecked(unittest.TestCase):
    """An archive whose reader verifies goes from the file to the socket, in parts of any size."""

    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage(devices=('sda',))
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill([coded('huge', put(size=36000000))])
        cls.server = cls.stage.start('ours', client_timeout=2)
        cls.headers = {'X-Backend-Storage-Policy-Index': '1', **VERIFIES}
        whole = cls.server.request('GET', path('huge'), {'X-Backend-Storage-Policy-Index': '1'})
        assert whole.status == 200 and len(whole.body) > 9000000, whole
        cls.body = whole.body

    def ask(self, receive_bytes):
        connection = self.server.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        head = ''.join(f'{name}: {value}\r\n' for name, value in self.headers.items())
        connection.sendall(f'GET {path("huge")} HTTP/1.1\r\n{head}\r\n'.encode())
        return connection

    def until_as_before(self, before):
        """The server keeps nothing of those who are gone."""
        two_servers.wait_until(lambda: self.descriptors() <= before, 'descriptors to be closed')
        self.assertEqual(self.server.request('GET', path('huge'), self.headers).body, self.body)

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.server.process.pid}/fd'))

    def test_readers_of_any_appetite(self):
        for receive_bytes in (32768, 262144, 4194304):
            with self.ask(receive_bytes) as connection:
                answer = two_servers.Answer(connection)
                self.assertEqual((answer.status, answer.cut, answer.body), (200, False, self.body))
                self.assertEqual(answer.headers['content-length'], [str(len(self.body))])

    def test_one_connection_for_many(self):
        with self.ask(65536) as connection:
            response = http.client.HTTPResponse(connection)
            response.begin()
            self.assertEqual(response.read(), self.body)
            connection.sendall(b'OPTIONS / HTTP/1.1\r\n\r\n')
            self.assertEqual(two_servers.Answer(connection).status, 200)

    def test_readers_who_hang_up(self):
        before = self.descriptors()
        for received in range(0, 400000, 20000):
            connection = self.ask(65536)
            while received > 0:
                got = connection.recv(received)
                self.assertTrue(got)
                received -= len(got)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            connection.close()
        self.until_as_before(before)

    def test_readers_who_stop_reading(self):
        before = self.descriptors()
        connections = [self.ask(1024) for _ in range(20)]
        self.until_as_before(before)
        for connection in connections:
            connection.close()


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
