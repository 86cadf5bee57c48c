#!/usr/bin/python3
"""statsd: the same requests, the same timings as from Swift's object server."""

import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import two_servers  # noqa: E402
from ssync_client import Session, offers, sub_request, updates  # noqa: E402
from ssync_test import OBJECTS, T, put_request  # noqa: E402

POLICY = {'X-Backend-Storage-Policy-Index': '1'}


class Statsd(unittest.TestCase):
    def requests(self, server):
        for method, path in (('GET', '/sda/3/a/c/durable'), ('GET', '/sda/3/a/c/absent'),
                             ('GET', '/nosuch/3/a/c/o'), ('DELETE', '/sda/3/a/c/absent'),
                             ('POST', '/sda/3/a/c/absent'), ('OPTIONS', '/'),
                             ('TRACE', '/sda/3/a/c/o')):
            server.request(method, path, dict(POLICY, **{'X-Timestamp': T[7]}))
        session = Session(server)
        session.send(offers())
        session.read_until(b':MISSING_CHECK: END\r\n')
        session.send(updates(put_request('x'),
                             sub_request('DELETE', '/a/c/y', {'X-Timestamp': T[1]})))
        session.read_to_end()
        session.close()

    def told(self, kind):
        """All metrics of the requests, sorted, without their values."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(('127.0.0.1', 0))
        server = self.stage.start(kind, log_statsd_host='127.0.0.1', log_name='obj',
                                  log_statsd_port=listener.getsockname()[1],
                                  log_statsd_metric_prefix='here', log_statsd_sample_rate_factor='1')
        self.requests(server)
        server.stop()
        listener.setblocking(False)
        found = []
        while True:
            try:
                text = listener.recv(2000).decode()
            except BlockingIOError:
                return sorted(found)
            name, value = re.fullmatch(r'([\w.-]+):([\d.e-]+)\|ms(?:\|@[\d.]+)?', text).groups()
            self.assertGreaterEqual(float(value), 0)
            # Swift tells of sessions now and then only, and of PUTs once more with their rate.
            if not name.endswith(('.SSYNC.timing', '.PUT.sda.timing')):
                found.append(name)

    def test_timings_are_those_of_swift(self):
        self.stage = two_servers.Stage()
        self.addCleanup(self.stage.close)
        self.stage.fill(OBJECTS)
        theirs, ours = self.told('swift'), self.told('ours')
        self.assertEqual(ours, theirs)
        self.assertIn('here.obj.GET.errors.timing', ours)


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
