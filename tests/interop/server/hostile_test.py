#!/usr/bin/python3
"""Hostile peers of `fragmend server`: each kind a test. The server answers or closes, lives on with
its memory bounded, and leaves nothing behind on the disk. Needs Swift only to fill the disk."""

import contextlib
import hashlib
import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from ssync_client import Session, chunk, object_hash, offers, sub_request, updates  # noqa: E402
from ssync_test import BODY, OBJECTS, T, meta, put_request  # noqa: E402

LIMIT_S = 3.0            # client_timeout of the server under test
MEMORY_MIB_MAX = 200
ENOUGH = 64 << 20        # what no peer may make the server swallow without an end
GET = 'GET /sda/3/a/c/durable HTTP/1.1\r\nX-Backend-Storage-Policy-Index: 1\r\nHost: x\r\n'
PUT = (b'PUT /sdb/3/a/c/slow HTTP/1.1\r\nX-Backend-Storage-Policy-Index: 1\r\nHost: x\r\n'
       b'X-Timestamp: 1795333043.00000\r\nContent-Type: a/b\r\n')
FOOTERS = (b'X-Object-Sysmeta-Ec-Frag-Index: 2\r\nX-Backend-Obj-Metadata-Footer: yes\r\n'
           b'X-Backend-Obj-Multipart-Mime-Boundary: b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n')
SSYNC = ('SSYNC /sda/3 HTTP/1.1\r\nX-Backend-Storage-Policy-Index: 1\r\n'
         'X-Backend-Ssync-Frag-Index: 2\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n').encode()


class HostilePeers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = two_servers.Stage(devices=('sda', 'sdb'))
        cls.addClassCleanup(cls.stage.close)
        cls.stage.fill(OBJECTS)
        cls.server = cls.stage.start('ours', client_timeout=LIMIT_S, replication_lock_timeout=1,
                                     fragmend_memory_limit='16M', max_clients=200)
        cls.device = os.path.join(cls.server.root, 'srv', 'sda')
        cls.before = cls.files()

    @classmethod
    def files(cls):
        return sorted(path for path in two_servers.tree(cls.device)
                      if path.endswith(('.data', '.meta', '.ts')))

    def tearDown(self):
        """Whatever was done, the server is there, serves others, is small and clean."""
        self.assertIsNone(self.server.process.poll(), self.server.log()[-3000:])
        answer = self.server.request('GET', '/sda/3/a/c/durable',
                                     {'X-Backend-Storage-Policy-Index': '1'})
        self.assertEqual(answer.status, 200)
        self.assertLess(self.memory_mib(), MEMORY_MIB_MAX)
        self.assertEqual(self.files(), self.before)

    def memory_mib(self):
        with open(f'/proc/{self.server.process.pid}/status', encoding='ascii') as status:
            for line in status:
                if line.startswith('VmRSS'):
                    return int(line.split()[1]) / 1024
        return 0

    def talk(self, data, repeat=b'', end=False, limit_s=20):
        """Sends `data`, then `repeat` again and again; everything that came back. Fails when the
        server neither answers nor closes."""
        connection = self.server.connect(limit_s)
        sent = 0
        try:
            connection.sendall(data)
            while repeat:
                connection.sendall(repeat)
                sent += len(repeat)
                self.assertLess(sent, ENOUGH, 'the server reads for ever')
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b''
        try:
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
        except ConnectionError:
            pass
        except TimeoutError:
            self.fail('the server neither answers nor closes')
        finally:
            connection.close()
        return received

    def session(self, **options):
        session = Session(self.server, timeout=20, **options)
        self.addCleanup(session.close)
        return session

    def refused_session(self, *pieces, repeat=b''):
        """A session that must not end well; what the server said."""
        session = self.session()
        for piece in pieces:
            session.send(piece)
        sent = 0
        while repeat and session.send(repeat):
            sent += len(repeat)
            self.assertLess(sent, ENOUGH, 'the server reads for ever')
        said = session.read_to_end()
        self.assertEqual(session.ended, 'closed')
        self.assertNotIn(b':UPDATES: END', said)
        return said

    # Requests.

    def test_a_request_line_without_end(self):
        self.assertIn(b' 400 ', self.talk(b'GET /', repeat=b'a' * 4096))

    def test_a_header_without_end(self):
        self.assertIn(b' 400 ', self.talk(GET.encode() + b'A: ', repeat=b'a' * 4096))

    def test_a_million_headers(self):
        self.assertIn(b' 400 ', self.talk(GET.encode(), repeat=b'A: b\r\n' * 1000))

    def test_no_http_at_all(self):
        self.assertIn(b' 400 ', self.talk(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'))

    def test_two_lengths(self):
        self.assertIn(b' 400 ', self.talk(
            (GET + 'Content-Length: 1\r\nContent-Length: 2\r\n\r\n').encode()))

    def test_length_and_chunks(self):
        self.assertIn(b' 400 ', self.talk(
            (GET + 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n').encode()))

    def test_a_length_beyond_all_numbers(self):
        self.assertIn(b' 400 ', self.talk((GET + 'Content-Length: ' + '9' * 40 + '\r\n\r\n').encode()))

    def test_a_negative_length(self):
        self.assertIn(b' 400 ', self.talk((GET + 'Content-Length: -5\r\n\r\n').encode()))

    def test_smuggling_by_folding(self):
        self.assertIn(b' 400 ', self.talk(
            (GET + 'X: y\r\n Transfer-Encoding: chunked\r\n\r\n').encode()))

    def test_paths_that_lead_out(self):
        for path in ('/../3/a/c/o', '/sda/../a/c/o', '/%2e%2e/3/a/c/o', '/sda%2f../3/a/c/o',
                     '/sda/%2e%2e%2f3/a/c/o', '/sda/3%00/a/c/o', '/sda/-1/a/c/o', '/sda/3.0/a/c/o',
                     '/sda/٣/a/c/o'.encode().decode('latin-1')):
            answer = self.server.request('GET', path, {'X-Backend-Storage-Policy-Index': '1'})
            self.assertIn(answer.status, (400, 404, 412, 507), path)
        answer = self.server.request('PUT', '/sda/../a/c/o', meta(), BODY)
        self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(sorted(os.listdir(os.path.join(self.server.root, 'srv'))), ['sda', 'sdb'])

    def test_a_device_that_is_a_link_or_file(self):
        srv = os.path.join(self.server.root, 'srv')
        with open(os.path.join(srv, 'file'), 'w', encoding='ascii'):
            pass
        self.addCleanup(os.unlink, os.path.join(srv, 'file'))
        for device in ('file', 'sd%20a', 'sd;a', ''):
            answer = self.server.request('REPLICATE', f'/{device}/3',
                                         {'X-Backend-Storage-Policy-Index': '1'})
            self.assertIn(answer.status, (400, 507), device)

    def test_ranges_by_the_thousand(self):
        header = 'bytes=' + ','.join(f'{i}-' for i in range(900))
        answer = self.server.request('GET', '/sda/3/a/c/durable',
                                     {'X-Backend-Storage-Policy-Index': '1', 'Range': header})
        self.assertEqual(answer.status, 416)

    def test_preferences_that_are_a_pit(self):
        for text in ('[' * 7000, '[' + '{},' * 2000 + '{}]', '{"a":' * 1000, '[1e999]'):
            answer = self.server.request('GET', '/sda/3/a/c/durable',
                                         {'X-Backend-Storage-Policy-Index': '1',
                                          'X-Backend-Fragment-Preferences': text})
            self.assertIn(answer.status, (200, 500))

    def test_somebody_who_never_reads_an_answer(self):
        peers = []
        for _ in range(20):
            peer = self.server.connect()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            for _ in range(200):
                try:
                    peer.settimeout(0.2)
                    peer.sendall((GET + '\r\n').encode())
                except OSError:
                    break
            peers.append(peer)
        self.assertLess(self.memory_mib(), MEMORY_MIB_MAX)
        for peer in peers:
            peer.close()

    def test_somebody_who_hangs_up_at_once(self):
        for _ in range(200):
            peer = self.server.connect()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            peer.send((GET + '\r\n').encode())
            peer.close()

    def test_empty_lines_before_the_parts(self):
        self.talk(PUT + FOOTERS, repeat=chunk(b'\r\n' * 2048))

    def test_footers_of_many_names(self):
        for count in (100000, 2000):
            names = ','.join(f'"x{number:05}":0' for number in range(count)).encode()
            document = b'{' + names + b'}'
            body = (b'--b\r\nX-Document: object body\r\n\r\nx\r\n--b\r\nContent-MD5: '
                    + hashlib.md5(document).hexdigest().encode() + b'\r\n\r\n' + document
                    + b'\r\n--b--')
            spent = self.server.cpu_s()
            said = self.talk(PUT + FOOTERS + chunk(body) + b'0\r\n\r\n')
            self.assertNotIn(b' 201 ', said)
            self.assertLess(self.server.cpu_s() - spent, 1)

    # Sessions.

    def test_a_chunk_size_without_end(self):
        self.assertNotIn(b':UPDATES:', self.talk(SSYNC, repeat=b'0' * 4096))

    def test_a_chunk_that_lies(self):
        self.talk(SSYNC + b'5\r\n:MISSING_CHECK: START\r\n\r\n')

    def test_a_chunk_of_all_the_bytes_there_are(self):
        self.talk(SSYNC + b'ffffffffffffffff\r\n:MISSING_CHECK: START\r\n', end=True)

    def test_a_chunk_extension_without_end(self):
        self.talk(SSYNC + b'5;', repeat=b'x' * 4096)

    def test_a_line_without_end(self):
        said = self.refused_session(b':MISSING_CHECK: START\r\n', repeat=b'a' * 8192)
        self.assertIn(b':ERROR: 0', said)

    def test_no_line_at_all(self):
        self.refused_session(repeat=b'a' * 8192)

    def test_offers_that_are_none(self):
        for line in (b'\r\n', b'../../etc/passwd 1\r\n', b'a' * 32 + b' nan\r\n',
                     b'a' * 32 + b' 1e400\r\n', b'A' * 32 + b' 1\r\n', b'\xff' * 40 + b'\r\n',
                     b'a' * 32 + b' 1 m:' + b'f' * 5000 + b'\r\n', b'a' * 32 + b'\r\n'):
            said = self.refused_session(b':MISSING_CHECK: START\r\n', line)
            self.assertIn(b':ERROR: 0', said, line)

    def test_many_offers_at_a_time(self):
        lines = [b'%032x 1795333043.00000' % number for number in range(100000)]
        session = self.session()
        session.send(offers(*lines))
        self.assertTrue(session.read_until(b':MISSING_CHECK: END\r\n'))
        self.assertEqual(session.received.count(b' dm'), len(lines))

    def test_chunks_of_one_byte(self):
        session = self.session()
        for byte in offers(object_hash('/a/c/absent').encode() + b' ' + T[1].encode()):
            session.send_raw(chunk(bytes([byte])))
        self.assertTrue(session.read_until(b':MISSING_CHECK: END\r\n'))
        self.assertIn(b' dm', session.received)

    def test_a_sub_request_of_another_method(self):
        for method in ('GET', 'REPLICATE', 'SSYNC', 'OPTIONS', 'put', '', 'PUT' * 100):
            self.refused_session(offers(), updates(sub_request(method, '/a/c/o', meta())))

    def test_sub_request_headers_without_end(self):
        self.refused_session(offers(), b':UPDATES: START\r\nPUT /a/c/o\r\n', repeat=b'A: b\r\n' * 500)

    def test_a_sub_request_body_without_end(self):
        """It says how long it is, and that is more than any object may have."""
        said = self.refused_session(
            offers(), b':UPDATES: START\r\nPUT /a/c/o\r\nContent-Length: 99999999999999\r\n'
            b'X-Timestamp: 1795333043.00000\r\nContent-Type: a/b\r\n\r\n' + b'x' * 100000)
        self.assertIn(b':ERROR: 408', said)

    def test_a_sub_request_body_that_stops(self):
        for size in (5, 600000):
            session = self.session()
            session.send(offers())
            session.send(b':UPDATES: START\r\n')
            request = put_request('stops', body=b'x' * 900000)
            session.send(request[:-size])
            session.send_raw(b'0\r\n\r\n')
            session.read_to_end()
            self.assertEqual(session.ended, 'closed')

    def test_lengths_that_are_no_numbers(self):
        for length in ('-1', '1e3', '0x10', '1 1', '٣', '9' * 30, ''):
            request = (f'PUT /a/c/o\r\nContent-Length: {length}\r\nX-Timestamp: 1\r\n'
                       'Content-Type: a/b\r\n\r\n').encode()
            said = self.refused_session(offers(), b':UPDATES: START\r\n' + request)
            self.assertIn(b':ERROR: 0', said, length)

    def test_sub_request_paths_that_lead_out(self):
        for path in ('/a', '/', '', '/a/c/%00', '//c/o',
                     '/a/c/%ff%fe', '*'):
            self.refused_session(offers(), updates(sub_request('PUT', path, meta(), BODY)))

    def test_metadata_that_would_break_lines(self):
        self.refused_session(offers(), b':UPDATES: START\r\nPUT /a/c/o\r\nContent-Length: 0\r\n'
                             b'X-Timestamp: 1\r\nContent-Type: a/b\r\nX-Object-Meta-A: b\rX: c\r\n\r\n')

    def test_metadata_beyond_every_limit(self):
        for headers in (meta(X_Object_Meta_A='v' * 300), meta(X_Object_Sysmeta_A='v' * 9000),
                        {**meta(), **{f'X-Object-Meta-{i}': 'v' for i in range(100)}}):
            said = self.refused_session(offers(), updates(
                sub_request('PUT', '/a/c/o', headers, BODY)))
            self.assertIn(b'ERROR: With :UPDATES: 1 failures', said)

    def test_an_index_that_the_policy_has_not(self):
        for index in ('6', '-1', '99999999999999999999', 'x', '1.0'):
            session = self.session(frag_index=index)
            self.assertEqual(session.status, 400, index)

    def test_a_bomb_of_sub_requests_that_fail(self):
        old = sub_request('DELETE', '/a/c/durable', {'X-Timestamp': T[0]})
        said = self.refused_session(offers(), b':UPDATES: START\r\n', repeat=old * 50)
        self.assertIn(b'Too many', said)

    def test_sessions_leave_places_for_others(self):
        """However many wait for locks: a quarter of the connections is for everybody else."""
        server = self.stage.start('ours', root=self.stage.copy('few'), max_clients=8,
                                  replication_lock_timeout=60, client_timeout=60)
        waiting = [Session(server, partition=str(number)) for number in range(6)]
        refused = Session(server, partition='6')
        self.assertIn(b':ERROR: 503', refused.read_to_end())
        answer = server.request('GET', '/sda/3/a/c/durable',
                                {'X-Backend-Storage-Policy-Index': '1'})
        self.assertEqual(answer.status, 200)
        for session in [*waiting, refused]:
            session.close()

    def test_sessions_that_say_nothing_give_their_places_back(self):
        silent = [self.session(device='sdb', partition=str(number)) for number in range(40)]
        self.assertEqual({session.status for session in silent}, {200})
        give_up, said = time.monotonic() + 60, b''
        while b':UPDATES: END' not in said and time.monotonic() < give_up:
            session = self.session(device='sdb', partition='50')
            session.send(offers())
            if session.read_until(b':MISSING_CHECK: END\r\n'):
                session.send(updates())
            said = session.read_to_end()
        self.assertIn(b':UPDATES: END', said)
        for session in silent:
            session.read_to_end()
            self.assertEqual(session.ended, 'closed')

    def test_a_stored_type_that_would_break_its_line(self):
        server = self.stage.start('ours', root=self.stage.copy('typed'))
        index = {'X-Backend-Storage-Policy-Index': '1'}
        path = '/sda/3/a/c/durable'
        stored = server.request('POST', path, {**index, 'X-Timestamp': T[5],
                                               'Content-Type': 'a/\0b'})
        self.assertEqual(stored.status, 202)
        for at, status in ((T[0], 409), (T[6], 204)):
            answer = server.request('DELETE', path, {**index, 'X-Timestamp': at})
            self.assertEqual(answer.status, status)
            self.assertNotIn('x-backend-content-type', answer.headers)
        self.assertIsNone(server.process.poll(), server.log()[-2000:])

    def test_puts_that_trickle_hold_up_nobody(self):
        """More uploads than the memory has room for send a little and pause, below the rate at
        which they are cut off: a whole PUT and a session beside them do not wait."""
        server = self.stage.start('ours', root=self.stage.copy('trickle'), client_timeout=60,
                                  fragmend_memory_limit='8M', max_clients=200)
        peers = [self.slow_put(server, number) for number in range(40)]
        self.addCleanup(lambda: [peer.close() for peer in peers])
        started = time.monotonic()
        answer = server.request('PUT', '/sda/3/a/c/whole', {
            'X-Backend-Storage-Policy-Index': '1', 'X-Object-Sysmeta-Ec-Frag-Index': '2', **meta()},
            BODY)
        self.assertEqual(answer.status, 201)
        session = Session(server)
        self.addCleanup(session.close)
        session.send(offers())
        session.read_until(b':MISSING_CHECK: END\r\n')
        session.send(updates(put_request('new'), put_request('large', body=b'x' * 900000)))
        self.assertIn(b':UPDATES: END', session.read_to_end())
        self.assertLess(time.monotonic() - started, 25)

    def slow_put(self, server, number):
        """A connection with an upload of which some has come, and been taken from the socket."""
        head = ''.join(f'{name}: {value}\r\n' for name, value in meta().items())
        peer = server.connect()
        peer.sendall(f'PUT /sdb/3/a/c/slow{number} HTTP/1.1\r\nHost: x\r\n'
                     'X-Backend-Storage-Policy-Index: 1\r\nContent-Length: 1000000\r\n'
                     f'Expect: 100-continue\r\n{head}\r\n'.encode())
        self.assertIn(b'100 Continue', peer.recv(1000))
        peer.sendall(b'a' * 1024)
        return peer

    # Patience.

    def test_silence_ends(self):
        started = time.monotonic()
        for data in (b'', b'GET / HT', SSYNC, SSYNC + chunk(b':MISSING_CHECK: START\r\nabc'),
                     SSYNC + chunk(offers() + b':UPDATES: START\r\nPUT /a/c/o\r\nContent')):
            self.talk(data)
        self.assertLess(time.monotonic() - started, 5 * (LIMIT_S + 8))

    def test_a_trickle_ends(self):
        """A byte now and then does not keep a line, a head or a body alive."""
        put = (b':UPDATES: START\r\nPUT /a/c/o\r\nContent-Length: 5000\r\n'
               b'X-Timestamp: 1795333043.00000\r\nContent-Type: a/b\r\n\r\n')
        for data, drop in ((b'GET / HTTP/1.1\r\nA: ', b'a'),
                           (SSYNC + chunk(b':MISSING_CHECK: START\r\n'), chunk(b'a')),
                           (SSYNC + chunk(offers() + put), chunk(b'a')),
                           (PUT + b'Content-Length: 100000\r\n\r\n', b'a'),
                           (PUT + b'Transfer-Encoding: chunked\r\n\r\n', b'1\r\na\r\n')):
            peer = self.server.connect()
            peer.sendall(data)
            started = time.monotonic()
            try:
                while time.monotonic() - started < LIMIT_S + 15:
                    peer.sendall(drop)
                    time.sleep(0.1)
                self.fail('a trickle keeps the server waiting')
            except OSError:
                pass
            finally:
                peer.close()

    def test_a_crowd_leaves_others_their_rate(self):
        # 0.9 on a quiet machine; the trickling thread itself takes a share of this one.
        wanted = 0.9 if os.environ.get('FRAGMEND_FULL') else 0.5
        # The first one makes the files that the others find.
        self.healthy_rate()
        rates = [self.healthy_rate()]
        # The machine's own pace changes: each measurement is compared with those next to it.
        for _ in range(5):
            with self.crowd():
                rates.append(self.healthy_rate())
            beside = rates[-1]
            if beside > rates[-2] * wanted:
                break
            rates.append(self.healthy_rate())
            if beside > rates[-1] * wanted:
                break
        else:
            self.fail(f'requests a second, alone and beside a crowd in turn: {rates}')
        print('healthy requests a second, alone and beside 1000 idlers in turn: '
              + ', '.join(f'{rate:.0f}' for rate in rates))

    @contextlib.contextmanager
    def crowd(self):
        """A thousand peers who have begun to say something; some go on, a byte at a time."""
        crowd = []
        for number in range(1000):
            peer = self.server.connect()
            try:
                peer.sendall((b'GET / HT', b'', SSYNC[:60], (GET + 'A: ').encode())[number % 4])
            except OSError:
                pass
            crowd.append(peer)
        stop = threading.Event()

        def trickle():
            while not stop.is_set():
                for peer in crowd[::10]:
                    try:
                        peer.send(b'a')
                    except OSError:
                        pass
                stop.wait(0.1)
        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            for peer in crowd:
                peer.close()

    def healthy_rate(self, seconds=1.5):
        """Sub-requests a second of one healthy session after another."""
        started, count = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            session = Session(self.server, device='sdb')
            session.send(offers())
            session.read_until(b':MISSING_CHECK: END\r\n')
            session.send(updates(*[sub_request('DELETE', f'/a/c/{count + i}', {'X-Timestamp': T[1]})
                                   for i in range(100)]))
            self.assertIn(b':UPDATES: END', session.read_to_end())
            session.close()
            count += 100
        return count / (time.monotonic() - started)


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
