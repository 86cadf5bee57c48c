#!/usr/bin/python3
"""What hostile peers cost the healthy ones: `fragmend server` alone and beside a crowd, in turn.

See README.md. Writes bench/results/hostile-*.json.
"""

import argparse
import hashlib
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [_HERE, os.path.join(_ROOT, 'tests', 'interop', 'server'),
                os.path.join(os.path.dirname(_HERE), 'rebuild')]

import peers  # noqa: E402
import report  # noqa: E402
import two_servers  # noqa: E402
from ssync_client import Session, offers, sub_request, updates  # noqa: E402

TARGET = 0.9
BATCH = 50
SMALL_BYTES = 4096
LARGE_BYTES = 8 << 20
POLICY = {'X-Backend-Storage-Policy-Index': '0'}    # Whole objects: no fragment headers to make.
CROWDED = [f'sd{letter}' for letter in 'cdefghij']


def parse(arguments):
    parser = argparse.ArgumentParser(prog='hostile', description=__doc__.splitlines()[0])
    parser.add_argument('--fragmend', default=os.path.join(_ROOT, 'build', 'fragmend'),
                        help='the program (default: build/fragmend)')
    parser.add_argument('--rounds', type=int, default=10, help='of each kind (default: 10)')
    parser.add_argument('--seconds', type=float, default=3.0, help='a round (default: 3)')
    parser.add_argument('--kind', action='append', metavar='WORDS', default=[],
                        help='only kinds of peers with these words in their name; repeatable')
    parser.add_argument('--each', action='store_true',
                        help='each kind by itself, then all together')
    parser.add_argument('--max-clients', type=int, default=1024)
    parser.add_argument('--dir', help='devices below this folder (default: memory)')
    parser.add_argument('--results', default=os.path.join(_ROOT, 'bench', 'results'),
                        help='where the JSON goes (default: bench/results)')
    return parser.parse_args(arguments)


class Healthy(threading.Thread):
    """A client that waits for each answer before it asks again; counts what went well."""

    def __init__(self, server, work, stop):
        super().__init__()
        self.server, self.work, self.stop = server, work, stop
        self.done = self.failed = 0

    def run(self):
        while not self.stop.is_set():
            try:
                self.done += self.work(self.server)
            except (OSError, AssertionError, ValueError, IndexError):
                self.failed += 1


def put_session(device, partition):
    """One session with a batch of small fragments, written again and again."""
    body = os.urandom(SMALL_BYTES)
    headers = {'Content-Type': 'a/b', 'ETag': hashlib.md5(body).hexdigest(),
               'X-Object-Sysmeta-Ec-Frag-Index': '2', 'X-Object-Sysmeta-Ec-Etag': 'e'}

    def work(server):
        session = Session(server, device=device, partition=partition, timeout=10)
        try:
            assert session.status == 200
            session.send(offers())
            assert session.read_until(b':MISSING_CHECK: END\r\n')
            now = '%016.5f' % time.time()
            session.send(updates(*[sub_request('PUT', f'/a/c/{partition}-{number}',
                                               {'X-Timestamp': now, **headers}, body)
                                   for number in range(BATCH)]))
            assert b':UPDATES: END' in session.read_to_end()
        finally:
            session.close()
        return BATCH
    return work


def gets(server):
    for _ in range(10):
        answer = server.request('GET', '/sdb/3/a/c/small', POLICY)
        assert answer.status == 200 and len(answer.body) == SMALL_BYTES
    return 10


def server_cpu_s(server):
    with open(f'/proc/{server.process.pid}/stat', encoding='ascii') as stat:
        fields = stat.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def one_round(server, seconds):
    """Rates of healthy clients, and the server's CPU for each thing that they had done."""
    stop = threading.Event()
    writer = Healthy(server, put_session('sda', '5'), stop)
    reader = Healthy(server, gets, stop)
    cpu, began = server_cpu_s(server), time.monotonic()
    for client in (writer, reader):
        client.start()
    time.sleep(seconds)
    stop.set()
    for client in (writer, reader):
        client.join()
    wall, cpu = time.monotonic() - began, server_cpu_s(server) - cpu
    return {'puts_per_s': writer.done / wall, 'gets_per_s': reader.done / wall,
            'failed': writer.failed + reader.failed, 'server_cpu_s': cpu,
            'done': writer.done + reader.done, 'wall_s': wall}


def memory_mib(server):
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith('VmRSS'))


def contest(server, names, options):
    """Alone and beside the crowd in turn; the ratios of the medians."""
    ours, theirs = multiprocessing.Pipe()
    crowd = multiprocessing.Process(target=peers.crowd,
                                    args=(server.port, (CROWDED, names), theirs))
    crowd.start()
    alone, beside, crowds = [], [], []
    for _ in range(options.rounds):
        alone.append(one_round(server, options.seconds))
        ours.send('on')
        ours.recv()
        one = one_round(server, options.seconds)
        one['memory_mib'] = memory_mib(server)
        ours.send('off')
        crowds.append(ours.recv())
        time.sleep(peers.SETTLE_S)
        beside.append(one)
    ours.send('end')
    crowd.join()
    result = {'kinds': names, 'alone': alone, 'beside': beside, 'crowd': crowds}
    for figure in ('puts_per_s', 'gets_per_s'):
        result[figure] = [statistics.median(one[figure] for one in side)
                          for side in (alone, beside)]
        result[figure + '_ratio'] = statistics.median(
            b[figure] / a[figure] for a, b in zip(alone, beside) if a[figure])
    result['failed'] = [sum(one['failed'] for one in side) for side in (alone, beside)]
    result['server_cpu_us_each'] = [
        1e6 * sum(one['server_cpu_s'] for one in side) / max(1, sum(one['done'] for one in side))
        for side in (alone, beside)]
    costs = result['server_cpu_us_each']
    result['per_cpu_ratio'] = costs[0] / costs[1]
    wall_s = sum(one['wall_s'] for one in beside)
    result['crowd_cpu_share'] = sum(one['cpu_s'] for one in crowds) / wall_s
    spent_s = sum(one['server_cpu_s'] - one['done'] * costs[0] / 1e6 for one in beside)
    result['server_cpu_share_for_crowd'] = spent_s / wall_s
    return result


def say(result):
    name = result['kinds'][0] if len(result['kinds']) == 1 else f'all {len(result["kinds"])} kinds'
    print(f'{name}:\n  puts {result["puts_per_s_ratio"]:.2f}, gets {result["gets_per_s_ratio"]:.2f}'
          f' of their rate alone ({result["puts_per_s"][0]:.0f} and'
          f' {result["gets_per_s"][0]:.0f}/s);'
          f' {result["per_cpu_ratio"]:.2f} by the server\'s CPU;\n  of a core the crowd cost the'
          f' server {100 * result["server_cpu_share_for_crowd"]:.0f} %, and itself'
          f' {100 * result["crowd_cpu_share"]:.1f} %;'
          f' {result["failed"][1]} failed, {result["beside"][-1]["memory_mib"]:.0f} MiB',
          flush=True)


def fill(server):
    for name, size in (('small', SMALL_BYTES), ('large', LARGE_BYTES)):
        body = os.urandom(size)
        answer = server.request('PUT', f'/sdb/3/a/c/{name}', dict(POLICY, **{
            'X-Timestamp': '1795333043.00000', 'Content-Type': 'a/b',
            'ETag': hashlib.md5(body).hexdigest()}), body)
        assert answer.status == 201, answer


def run(options):
    folder = tempfile.mkdtemp(prefix='fragmend-hostile-',
                              dir=options.dir or two_servers.scratch_root())
    load_before = os.getloadavg()[0]
    server = None
    try:
        for device in ('sda', 'sdb', *CROWDED):
            os.makedirs(os.path.join(folder, 'srv', device))
        with open(os.path.join(folder, 'swift.conf'), 'w', encoding='ascii') as out:
            out.write(two_servers.SWIFT_CONF)
        server = two_servers.Server('ours', folder, {
            'log_level': 'NOTICE', 'client_timeout': '5', 'replication_lock_timeout': '5',
            'max_clients': str(options.max_clients)}, program=os.path.abspath(options.fragmend))
        fill(server)
        names = [name for name in peers.kinds(CROWDED)
                 if not options.kind or any(words in name for words in options.kind)]
        results = []
        for chosen in ([[name] for name in names] if options.each else []) + [names]:
            results.append(contest(server, chosen, options))
            say(results[-1])
        if server.process.poll() is not None:
            sys.exit('hostile: the server is gone\n' + server.log()[-3000:])
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return results, load_before


def main(arguments=None):
    options = parse(arguments)
    results, load_before = run(options)
    together = results[-1]
    document = {'rounds': options.rounds, 'seconds': options.seconds,
                'max_clients': options.max_clients, 'load_before': load_before,
                'devices_on': 'disk' if options.dir else 'memory', 'contests': results}
    path = report.write_document('hostile', document, options, _ROOT)
    print(os.path.relpath(path))
    return 0 if min(together['puts_per_s_ratio'], together['gets_per_s_ratio']) >= TARGET else 1


if __name__ == '__main__':
    sys.exit(main())
