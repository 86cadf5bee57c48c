#!/usr/bin/python3
"""Writes swift_bytes.hpp: what Swift's own code sends, for the tests of transport to compare with.

Run with the interpreter that has Swift: /usr/bin/python3 generate.py > swift_bytes.hpp
"""
import json
import logging
import os
import socket
import sys
import tempfile

import swift.common.utils as utils

with tempfile.NamedTemporaryFile('w', suffix='.conf', delete=False) as conf:
    conf.write('[swift-hash]\nswift_hash_path_suffix = x\n')
utils.SWIFT_CONF_FILE = conf.name
from swift.common.bufferedhttp import http_connect  # noqa: E402
from swift.common.utils import Timestamp  # noqa: E402
from swift.obj import ssync_sender  # noqa: E402
os.unlink(conf.name)

PORT = 6210


def literal(data):
    out = []
    for byte in data:
        char = chr(byte)
        if char in '"\\':
            out.append('\\' + char)
        elif char == '\r':
            out.append('\\r')
        elif char == '\n':
            out.append('\\n"\n    "')
        elif 0x20 <= byte < 0x7f:
            out.append(char)
        else:
            out.append('\\%03o' % byte)
        # Long lines are broken where it shows least.
        if char == ' ' and len(''.join(out).rsplit('\n', 1)[-1]) > 60:
            out.append('"\n    "')
    return '"' + ''.join(out) + '"'


def constant(name, data):
    if isinstance(data, str):
        data = data.encode('utf8')
    print('inline constexpr std::string_view %s(\n    %s, %d);\n'
          % (name, literal(data), len(data)))


class Recorder(object):
    """Stands in for a socket: keeps what is sent."""

    def __init__(self):
        self.data = b''

    def sendall(self, data):
        self.data += data

    send = sendall

    def setsockopt(self, *args):
        pass

    def close(self):
        pass


def record(call):
    recorder = Recorder()
    connect = socket.create_connection
    socket.create_connection = lambda *args, **kwargs: recorder
    try:
        import swift.common.bufferedhttp as bufferedhttp
        original = bufferedhttp.HTTPConnection.connect

        def fake(self):
            self.sock = recorder
        bufferedhttp.HTTPConnection.connect = fake
        try:
            call()
        finally:
            bufferedhttp.HTTPConnection.connect = original
    finally:
        socket.create_connection = connect
    return recorder.data


def get_request():
    headers = {'Content-Length': '0', 'user-agent': 'obj-reconstructor 4711',
               'X-Backend-Storage-Policy-Index': 1, 'X-Backend-Replication': 'True'}
    headers['X-Backend-Fragment-Preferences'] = json.dumps(
        [{'timestamp': Timestamp('1795333043.19771', offset=255).internal, 'exclude': []}])
    http_connect('127.0.0.1', PORT, 'sd b', 17, 'GET', u'/a/c/o\xe9 ~1%?', headers=headers)


def replicate_request():
    headers = {'Content-Length': '0', 'user-agent': 'obj-reconstructor 4711',
               'X-Backend-Storage-Policy-Index': 1}
    http_connect('::1', PORT, 'sdb', 17, 'REPLICATE', '', headers=headers)


class Daemon(object):
    conn_timeout = node_timeout = http_timeout = 1
    network_chunk_size = 65536
    logger = logging.getLogger()
    _df_router = {1: None}


def sender():
    node = {'replication_ip': '127.0.0.1', 'replication_port': PORT, 'device': 'sdb',
            'backend_index': 2}
    return ssync_sender.Sender(Daemon(), node, {'policy': 1, 'partition': '17', 'device': 'sda'},
                               ['abc'])


def ssync_request():
    class Stop(Exception):
        pass

    def stop(self):
        raise Stop
    ssync_sender.SsyncBufferedHTTPConnection.getresponse = stop
    try:
        sender().connect()
    except Stop:
        pass


class Body(object):
    content_length = 5

    def get_datafile_metadata(self):
        return {'name': '/a/c/o', 'Content-Length': '9', 'X-Timestamp': '1795333043.19771',
                'Content-Type': 'text/plain', 'X-Object-Meta-b': 'low', 'X-Object-Meta-B2': 'up',
                'ETag': 'd41d8cd98f00b204e9800998ecf8427e', 'X-Object-Sysmeta-Ec-Frag-Index': 2}

    def get_metafile_metadata(self):
        return {'X-Timestamp': '1795333053.19771', 'X-Object-Meta-Color': 'red'}

    def reader(self):
        yield b'abc'
        yield b'de'


def sub_requests():
    recorder = Recorder()
    one = sender()
    one.send_put(recorder, '/a/c/o%C3%A9%201', Body(), durable=False)
    one.send_post(recorder, '/a/c/o%C3%A9%201', Body())
    one.send_delete(recorder, '/a/c/gone', Timestamp('1795333043.19771'))
    return recorder.data


def offers():
    t = Timestamp('1795332145.61494')
    hash_ = '461a6a9351174f3dc7e7ab432e03ca29'
    later = Timestamp('1795332155.61494')
    middle = Timestamp('1795332150.61494')
    earlier = Timestamp('1795332145.61400')
    return [
        ssync_sender.encode_missing(hash_, t),
        ssync_sender.encode_missing(hash_, t, ts_meta=t, ts_ctype=t, durable=True),
        ssync_sender.encode_missing(hash_, t, ts_meta=later, ts_ctype=t, durable=True),
        ssync_sender.encode_missing(hash_, t, ts_meta=later, ts_ctype=middle, durable=True),
        ssync_sender.encode_missing(hash_, t, ts_meta=later, ts_ctype=middle, durable=False),
        ssync_sender.encode_missing(hash_, t, ts_meta=earlier, durable=False),
        ssync_sender.encode_missing(hash_, t, durable=False),
        ssync_sender.encode_missing(hash_, Timestamp('1795332145.61494', offset=10)),
    ]


REPRS = [b'plain', b"it's", b'it\'s "both"', b'say "hi"', b'tab\tcr\rlf\n\\ \x00\x7f', b'\xc3\xa9']


def main():
    print('// Bytes that Swift sends; written by generate.py.\n#pragma once\n')
    print('#include <string_view>\n')
    print('namespace fragmend::golden {\n')
    constant('get_head', record(get_request))
    constant('replicate_head', record(replicate_request))
    constant('ssync_head', record(ssync_request))
    constant('sub_requests', sub_requests())
    constant('offers', b'\n'.join(offers()) + b'\n')
    constant('reprs', ''.join('%r\n' % text for text in REPRS))
    print('}  // namespace fragmend::golden')


if __name__ == '__main__':
    sys.exit(main())
