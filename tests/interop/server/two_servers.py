"""Swift's object server and ours beside each other, over equal disks, without a cluster.

`Stage` makes folders with devices, fills them through Swift's own code, and starts either server on
one of them. Needs Debian's Swift; `available()` says whether it is there.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), 'daemon'))
from daemons import wait_until  # noqa: E402,F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PROGRAM = os.environ.get('FRAGMEND_UNDER_TEST') or os.path.join(ROOT, 'build', 'fragmend')
START_LIMIT_S = 60.0

SWIFT_CONF = '''[swift-hash]
swift_hash_path_prefix = pre
swift_hash_path_suffix = interop
[storage-policy:0]
name = plain
default = yes
[storage-policy:1]
name = coded
policy_type = erasure_coding
ec_type = isa_l_rs_cauchy
ec_num_data_fragments = 4
ec_num_parity_fragments = 2
ec_object_segment_size = 65536
'''

DEFAULT_OPTIONS = {'devices': '', 'mount_check': 'false', 'user': 'root', 'bind_ip': '127.0.0.1',
                   'bind_port': '0', 'fallocate_reserve': '0', 'log_address': '/nowhere',
                   'log_level': 'DEBUG', 'client_timeout': '5'}


def available():
    return subprocess.run(['/usr/bin/python3', '-c', 'import swift.obj.server, pyeclib'],
                          stderr=subprocess.DEVNULL).returncode == 0


def scratch_root():
    """Where files have xattrs, in memory if possible."""
    for folder in ('/dev/shm', tempfile.gettempdir()):
        probe = os.path.join(folder, f'fragmend-xattr-{os.getpid()}')
        try:
            with open(probe, 'w', encoding='ascii'):
                os.setxattr(probe, 'user.probe', b'1')
            return folder
        except OSError:
            continue
        finally:
            if os.path.exists(probe):
                os.unlink(probe)
    raise RuntimeError('no folder with xattrs')


class Server:
    """A running server of either kind; `kind` is 'swift' or 'ours'."""

    def __init__(self, kind, root, options=(), program=PROGRAM):
        self.kind, self.root = kind, root
        merged = dict(DEFAULT_OPTIONS, devices=os.path.join(root, 'srv'), swift_dir=root)
        merged.update(options)
        self.conf = os.path.join(root, f'object-{kind}.conf')
        with open(self.conf, 'w', encoding='ascii') as out:
            out.write('[DEFAULT]\n[pipeline:main]\npipeline = object-server\n'
                      '[app:object-server]\nuse = egg:swift#object\n')
            out.writelines(f'{name} = {value}\n' for name, value in merged.items())
        swift_conf = os.path.join(root, 'swift.conf')
        if kind == 'swift':
            command = ['/usr/bin/python3', '-W', 'ignore', os.path.join(HERE, 'swift_server.py'),
                       swift_conf, self.conf]
        else:
            command = [program, 'server', self.conf, '-v', '--swift-conf', swift_conf]
        self.log_path = os.path.join(root, f'{kind}.log')
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=root)
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        give_up = time.monotonic() + START_LIMIT_S
        while time.monotonic() < give_up:
            found = re.search(r'Listening at [^\n]*:(\d+)\n', self.log())
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f'{self.kind} did not start:\n{self.log()}')

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            return log.read()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def cpu_s(self):
        """CPU seconds that the process has used."""
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as stat:
            ticks = stat.read().rpartition(')')[2].split()[11:13]
        return sum(int(one) for one in ticks) / os.sysconf('SC_CLK_TCK')

    def connect(self, timeout=30):
        connection = socket.create_connection(('127.0.0.1', self.port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def request(self, method, path, headers=(), body=b''):
        """Status, headers by lower-case name, and body of one request over its own connection."""
        connection = self.connect()
        head = f'{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
        sent = dict(headers)
        if not any(name.lower() in ('content-length', 'transfer-encoding') for name in sent):
            sent['Content-Length'] = str(len(body))
        for name, value in sent.items():
            head += f'{name}: {value}\r\n'
        try:
            connection.sendall(head.encode('utf-8') + b'\r\n' + body)
            return Answer(connection, method)
        finally:
            connection.close()


class Answer:
    def __init__(self, connection, method='GET'):
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        self.status = response.status
        self.reason = response.reason
        self.headers = {}
        for name, value in response.getheaders():
            self.headers.setdefault(name.lower(), []).append(value)
        try:
            self.body = response.read()
            self.cut = False
        except http.client.IncompleteRead as err:
            self.body, self.cut = err.partial, True

    def __repr__(self):
        return f'{self.status} {self.headers} {self.body[:300]!r} cut={self.cut}'


class Stage:
    """A folder with swift.conf and devices, that both servers can be given copies of."""

    def __init__(self, devices=('sda', 'sdb')):
        self.folder = tempfile.mkdtemp(prefix='fragmend-server-', dir=scratch_root())
        self.base = os.path.join(self.folder, 'base')
        for device in devices:
            os.makedirs(os.path.join(self.base, 'srv', device))
        with open(os.path.join(self.base, 'swift.conf'), 'w', encoding='ascii') as out:
            out.write(SWIFT_CONF)
        self.servers = []

    def fill(self, objects):
        """Writes histories (see fill_disk.py) below the base through Swift's own code."""
        subprocess.run(['/usr/bin/python3', '-W', 'ignore', os.path.join(HERE, 'fill_disk.py'),
                        self.base], input=json.dumps(objects).encode(), check=True)

    def copy(self, name):
        """A copy of the base with all xattrs and times; its path."""
        target = os.path.join(self.folder, name)
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(['cp', '-a', self.base, target], check=True)
        return target

    def start(self, kind, root=None, **options):
        server = Server(kind, root or self.copy(kind), options)
        self.servers.append(server)
        return server

    def close(self):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def whole(objects):
    """The same histories in the policy of replication type, which has neither indexes nor commits."""
    def plain(event):
        return {key: value for key, value in event.items() if key not in ('index', 'durable')}
    return [dict(one, policy=0, events=[plain(event) for event in one['events']])
            for one in objects]


def tree(root):
    """{relative path: kind, bytes, metadata} of everything below a device, without lock files."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in files:
            path = os.path.join(folder, name)
            if name.startswith('.lock'):
                continue
            with open(path, 'rb') as handle:
                found[os.path.relpath(path, root)] = handle.read()
        for name in folders:
            found.setdefault(os.path.relpath(os.path.join(folder, name), root) + '/', None)
    return found


def skip_without_swift():
    if not available():
        print('no Swift on this machine')
        sys.exit(77)
