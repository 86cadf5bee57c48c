#!/usr/bin/python3
"""The demo: a real Swift cluster loses a disk, Fragmend rebuilds it, all is proven equal.

    /usr/bin/python3 tests/lab/demo.py --fragmend build/fragmend [--json FILE]

Exit status 0 only if every file of the disk came back with the same name, bytes and metadata and
every object can be read with as many other disks gone as the code has parities.
"""

import argparse
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import Lab, LabError, compare  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20
K, M = 4, 2
DISK, OTHERS = 'd3', ('d1', 'd6')
PASSES_MAX = 4
SMALL_SIZES = (0, 1, 100, 4 * KIB, 16 * KIB, 64 * KIB, 300 * KIB, MIB - 1, MIB, MIB + 1)
LARGE_SIZES = (5 * MIB, 16 * MIB, 40 * MIB + 3)
PROXY_SIZES = (0, 1, 1000, 100 * KIB, MIB + 1, 3 * MIB)
SHARES = {'posts': 0.2, 'overwrites': 0.1, 'deletes': 0.05, 'expired': 0.02, 'expiring': 0.1,
          'odd_names': 0.3}
# The same for both; Swift's own defaults would let Swift work at one partition at a time.
OPTIONS = {'servers': 4, 'devices': 8, 'ec_type': 'isa_l_rs_cauchy', 'k': K, 'm': M,
           'proxy': True, 'mount_check': True, 'part_power': 4,
           'replication_concurrency_per_device': 4,
           'object_conf': {'object-reconstructor': {'concurrency': 4, 'conn_timeout': 5}}}


def say(text=''):
    print(text, flush=True)


def megabytes(number):
    return f'{number / 1e6:.1f} MB'


class Program:
    """One of the two contestants: how it is started."""

    def __init__(self, name, argv, arguments, garbles=False):
        self.name, self.argv, self.arguments, self.garbles = name, argv, arguments, garbles


class Watcher:
    """Shows the files coming back to the disk while a reconstructor works."""

    def __init__(self, lab, files_expected):
        self._lab, self._expected = lab, files_expected
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._over.set()
        self._thread.join()

    def _watch(self):
        on_terminal = sys.stdout.isatty()
        interval_s = 0.25 if on_terminal else 2.0
        while not self._over.wait(interval_s):
            self._show(on_terminal)
        self._show(on_terminal)
        if on_terminal:
            say()

    def _show(self, on_terminal):
        files, size = held(self._lab)
        share = min(1.0, files / max(1, self._expected))
        line = (f'    [{"#" * int(30 * share):<30}] {files} of {self._expected} files, '
                f'{megabytes(size)}, {time.monotonic() - self._started:.1f} s')
        print(('\r' + line) if on_terminal else line, end='' if on_terminal else '\n', flush=True)


def held(lab):
    """(object files, their bytes) on the disk now."""
    files = size = 0
    for folder, _folders, names in os.walk(lab.device_path(DISK)):
        for name in names:
            if name.endswith(('.data', '.meta', '.ts')):
                try:
                    size += os.stat(os.path.join(folder, name)).st_size
                    files += 1
                except FileNotFoundError:
                    continue  # Just renamed by the server.
    return files, size


def forget_hashes(lab):
    """Both contestants start without any cached suffix hashes."""
    for device in lab.layout.device_names:
        for folder, _folders, names in os.walk(lab.device_path(device)):
            for name in names:
                if name == 'hashes.pkl':
                    os.unlink(os.path.join(folder, name))


def store(lab):
    """Fills the cluster; returns the number of objects."""
    lab.fill_proxy(30, sizes=PROXY_SIZES, container='by-proxy', seed=2, **SHARES)
    lab.fill_fast(300, sizes=SMALL_SIZES, container='small', seed=3, **SHARES)
    lab.fill_fast(6, sizes=LARGE_SIZES, container='large', seed=4)
    return len(lab.catalog)


def rebuild(lab, program, before):
    """Wipes the disk and lets the program bring it back; returns what it cost and what differs."""
    files_expected, _bytes = held(lab)
    lab.wipe(DISK)
    forget_hashes(lab)
    say(f'  The disk {DISK} is wiped: {files_expected} object files were there, '
        f'{held(lab)[0]} are left.')
    cost = {'seconds': 0.0, 'cpu_seconds': 0.0, 'peak_memory_kib': 0, 'passes': 0}
    servers_before_s = lab.servers_cpu_s()
    with Watcher(lab, files_expected):
        while cost['passes'] < PASSES_MAX:
            results, total = lab.reconstruct(program.argv, arguments=program.arguments)
            cost['passes'] += 1
            cost['seconds'] += total.wall_s
            cost['cpu_seconds'] += total.cpu_s
            cost['peak_memory_kib'] = max(cost['peak_memory_kib'], total.peak_rss_kib)
            differences = compare(before, lab.snapshot(DISK), garbled_text_ok=program.garbles)
            calm = all(result.exit_code == 0 for result in results.values())
            if calm and not differences:
                break
    cost['servers_cpu_seconds'] = lab.servers_cpu_s() - servers_before_s
    if differences or not calm:
        differences = differences or ['all files are right, but the program reported trouble']
        say(f'  {program.name} left {len(differences)} differences; the end of its log:')
        say('\n'.join('    ' + line for line in total.output.splitlines()[-20:]))
    cost['differences'] = differences
    return cost


def read_back(lab):
    """Reads every object with M other disks gone; returns (objects read, complaints)."""
    for device in OTHERS:
        lab.unmount(device)
    try:
        return lab.read_all()
    finally:
        for device in OTHERS:
            lab.mount(device)


def play(lab, fragmend):
    """The whole story; returns the result as a dict."""
    result = {'objects': store(lab)}
    before = lab.snapshot(DISK)
    files, size = held(lab)
    result.update(files=files, bytes=size)
    say(f'  {result["objects"]} objects of 0 bytes to {megabytes(max(LARGE_SIZES))} are stored, '
        'some with odd names, POSTs,\n  deletes, expiry; '
        f'the disk {DISK} holds {files} of their files, {megabytes(size)}.')

    say(f'\n2. {fragmend.name} rebuilds the disk')
    result['fragmend'] = rebuild(lab, fragmend, before)
    say(f'  Compared with the lost files: {len(result["fragmend"]["differences"])} differences in '
        'name, bytes or metadata.')

    say(f'\n3. Swift reads every object with {M} other disks gone ({" and ".join(OTHERS)})')
    result['read'], result['complaints'] = read_back(lab)
    say(f'  {result["read"]} objects asked for, {len(result["complaints"])} wrong answers.')
    for complaint in result['complaints'][:5]:
        say(f'    {complaint}')

    say('\n4. The same damage again, for Swift\'s own reconstructor')
    result['swift'] = rebuild(lab, swift_program(), before)
    result['swift_spoiled'] = len(compare(before, lab.snapshot(DISK)))
    if result['swift_spoiled']:
        say(f'  (Swift before 2.32 spoils metadata that is not ASCII: {result["swift_spoiled"]} '
            'values here.)')
    return result


def swift_program():
    return Program("Swift's reconstructor", ['/usr/bin/swift-object-reconstructor'],
                   ('once', '-v'), garbles=True)


def spent(cost):
    return (f'{cost["seconds"]:.1f} s, {cost["cpu_seconds"]:.1f} s of CPU '
            f'(and {cost["servers_cpu_seconds"]:.1f} s in the servers), '
            f'{cost["peak_memory_kib"] / 1024:.0f} MiB a process, {cost["passes"]} pass(es)')


def tell(result, name, seconds):
    """What happened, in ten lines."""
    ours, swift = result['fragmend'], result['swift']
    right = result['files'] if not ours['differences'] else (
        f'NOT all ({len(ours["differences"])} differences) of {result["files"]}')
    finished = '' if not swift['differences'] else ' (and had not finished)'
    say('\nWhat happened')
    say(f'  Cluster      real Swift: proxy, 4 object servers, 8 disks, EC {K}+{M} isa_l_rs_cauchy')
    say(f'  Stored       {result["objects"]} objects')
    say(f'  Lost         all of disk {DISK}: {result["files"]} files, {megabytes(result["bytes"])}')
    say(f'  Came back    {right} files, compared by name, bytes and metadata')
    say(f'  Read back    {result["read"]} objects with {M} more disks gone, '
        f'{len(result["complaints"])} wrong')
    say(f'  {name:<12} {spent(ours)}')
    say(f'  {"Swift":<12} {spent(swift)}{finished}')
    say(f'  Side by side {swift["seconds"] / ours["seconds"]:.1f} times as fast, '
        f'{swift["cpu_seconds"] / max(0.01, ours["cpu_seconds"]):.1f} times less CPU')
    say(f'  The demo     took {seconds:.0f} s and leaves nothing behind')
    say(f'  Verdict      {"everything is as it was" if result["ok"] else "SOMETHING IS WRONG"}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--fragmend', default='build/fragmend', metavar='PATH',
                        help="the program, or the word swift for Swift's own in its place")
    parser.add_argument('--json', metavar='FILE', help='also write the result there')
    options = parser.parse_args()
    if options.fragmend == 'swift':
        fragmend = swift_program()
        name = 'Swift (1st)'
    elif os.access(options.fragmend, os.X_OK):
        fragmend = Program('Fragmend', [os.path.abspath(options.fragmend), 'reconstructor'],
                           ('--once', '-v'))
        name = 'Fragmend'
    else:
        print(f'demo: {options.fragmend} is not a program; `./run build` makes it', file=sys.stderr)
        return 2
    started = time.monotonic()
    say('1. A private Swift cluster starts on this machine')
    try:
        with Lab(**OPTIONS) as lab:
            result = play(lab, fragmend)
    except LabError as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    result['seconds'] = time.monotonic() - started
    result['ok'] = not result['fragmend']['differences'] and not result['complaints']
    tell(result, name, result['seconds'])
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as out:
            json.dump(result, out, indent=1)
    return 0 if result['ok'] else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
