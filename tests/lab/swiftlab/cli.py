"""The lab's command line: argument parsing and printing; the work is done by Lab."""

import argparse
import json
import os
import sys

from . import snapshots
from .cluster import Lab, LabError
from .fault_rules import ACTIONS
from .spec import SpecError

DIRECTORY_VARIABLE = 'FRAGMEND_LAB'


def main(arguments=None):
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Everything after '--' is a command for exec; argparse must not look at it.
    command = []
    if '--' in arguments:
        cut = arguments.index('--')
        arguments, command = arguments[:cut], arguments[cut + 1:]
    options = _parser().parse_args(arguments)
    options.command = command
    try:
        return options.act(options) or 0
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        print(f'lab: {error}', file=sys.stderr)
        return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog='lab', description='A private cluster of real Swift servers on this machine.',
        epilog=f'Every command but `up` finds its lab by --dir or the variable '
               f'{DIRECTORY_VARIABLE}.')
    commands = parser.add_subparsers(title='commands', required=True, metavar='COMMAND')
    _add_up(commands)
    _add_simple(commands)
    _add_fill(commands)
    _add_faults(commands)
    return parser


def _command(commands, name, act, summary, *positionals):
    command = commands.add_parser(name, help=summary, description=summary)
    command.add_argument('--dir', default=os.environ.get(DIRECTORY_VARIABLE),
                         help=f'folder of the lab (default: ${DIRECTORY_VARIABLE})')
    for positional in positionals:
        command.add_argument(positional)
    command.set_defaults(act=act)
    return command


def _lab(options, must_run=True):
    if not options.dir:
        raise LabError(f'which lab? give --dir or set {DIRECTORY_VARIABLE}')
    return Lab.attach(options.dir, must_run)


# Up, down and looking.

def _add_up(commands):
    up = commands.add_parser('up', help='bring a lab up; it lives until `down`')
    up.add_argument('--dir', help='folder to make the lab in (default: a temporary one)')
    up.add_argument('--keep', action='store_true', help='`down` leaves a temporary folder behind')
    up.add_argument('--ec-type', default='isa_l_rs_cauchy')
    up.add_argument('-k', type=int, default=4, help='data fragments')
    up.add_argument('-m', type=int, default=2, help='parity fragments')
    up.add_argument('--duplication', type=int, default=1, help='ec_duplication_factor')
    up.add_argument('--segment-bytes', type=int, default=1048576)
    up.add_argument('--servers', type=int, default=4)
    up.add_argument('--devices', type=int, default=8, help='in all, dealt out to the servers')
    up.add_argument('--part-power', type=int, default=4)
    up.add_argument('--seed', type=int, default=1, help='of the rings')
    up.add_argument('--workers', type=int, default=0, help='processes an object server forks')
    up.add_argument('--replication-concurrency-per-device', type=int, default=1)
    up.add_argument('--log-level', default='INFO')
    up.add_argument('--proxy', action='store_true',
                    help='also proxy, account and container servers')
    up.add_argument('--fault-proxy', action='store_true',
                    help='put a proxy that can break things before every object server')
    up.add_argument('--mount-check', action='store_true', help='makes `unmount` possible')
    up.add_argument('--tmpfs', action='store_true', help='devices in memory, not in the folder')
    up.add_argument('--tmpfs-mib', type=int, default=1024, help='size of each such device')
    up.add_argument('--option', action='append', default=[], metavar='SECTION:NAME=VALUE',
                    help='an option for every object-server.conf, e.g. '
                         'object-reconstructor:concurrency=4')
    up.set_defaults(act=_up)


def _up(options):
    fields = vars(options).copy()
    for name in ('act', 'command', 'dir', 'option'):
        fields.pop(name)
    sections = {}
    for text in options.option:
        # The section may contain a colon (app:object-server), so look for it from the '='.
        path, equals, value = text.partition('=')
        section, colon, name = path.rpartition(':')
        if not equals or not colon:
            raise SpecError(f'--option wants SECTION:NAME=VALUE, not {text!r}')
        sections.setdefault(section, {})[name] = value
    lab = Lab(directory=options.dir, detached=True, object_conf=sections, **fields).up()
    entry = os.path.relpath(os.path.join(os.path.dirname(__file__), '..', 'lab.py'))
    print(f'lab in {lab.directory}\n  export {DIRECTORY_VARIABLE}={lab.directory}')
    for node in lab.layout.nodes:
        print(f'server {node.number} at {node.ring_ip}:{node.port}, devices '
              f'{" ".join(node.device_names)}\n  reconstruct: {entry} exec -- '
              f'swift-object-reconstructor {node.conf} once -v')
    print(f'devices are in {lab.layout.path("disk")}, logs in {lab.layout.path("log")}\n'
          f'take it down with: {entry} down')


def _add_simple(commands):
    _command(commands, 'down', lambda options: _lab(options, must_run=False).down(),
             'end every process of the lab')
    _command(commands, 'status', _status, 'processes and devices')
    _command(commands, 'exec', _exec, 'run a command inside: exec -- COMMAND...')
    _command(commands, 'shell', _exec, 'a shell inside the lab')
    _command(commands, 'wipe', lambda options: _lab(options).wipe(options.device),
             'delete everything on a device', 'device')
    _command(commands, 'unmount', lambda options: _lab(options).unmount(options.device),
             'take a device away (needs --mount-check)', 'device')
    _command(commands, 'mount', lambda options: _lab(options).mount(options.device),
             'bring a device back', 'device')
    corrupt = _command(commands, 'corrupt',
                       lambda options: _lab(options).corrupt(options.device, options.path,
                                                             options.offset),
                       'flip one bit of a file on a device', 'device', 'path')
    corrupt.add_argument('--offset', type=int, help='of the byte (default: the middle)')
    for name, summary in (('kill', 'end an object server with SIGKILL'),
                          ('start', 'start an object server again'),
                          ('freeze', 'stop an object server with SIGSTOP'),
                          ('thaw', 'let a frozen object server go on')):
        _command(commands, name,
                 lambda options, name=name: getattr(_lab(options), name)(int(options.server)),
                 summary, 'server')
    _command(commands, 'start-all', lambda options: _lab(options).start_all(), 'start all servers')
    _command(commands, 'stop-all', lambda options: _lab(options).stop_all(), 'end all servers')
    _command(commands, 'snapshot', _snapshot, 'print the manifest of a device as JSON', 'device')
    compare = _command(commands, 'compare', _compare,
                       'compare a manifest file with a device (or with another manifest file)',
                       'manifest', 'device')
    compare.add_argument('--garbled-text-ok', action='store_true',
                         help='forgive non-ASCII metadata that Swift < 2.32 spoils at each sync')
    _command(commands, 'audit', _audit, "run Swift's auditor once at a server", 'server')
    reconstruct = _command(commands, 'reconstruct-swift', _reconstruct,
                           "run Swift's reconstructor once (all servers side by side)")
    reconstruct.add_argument('--server', type=int, action='append', help='only at these')
    _command(commands, 'object-info', lambda options: print(_lab(options).object_info(
        options.device, options.path)), 'what swift-object-info says of a file', 'device', 'path')


def _status(options):
    lab = _lab(options)
    status = lab.status()
    for name, state in sorted(status['processes'].items()):
        print(name, *(f'{key} {value}' for key, value in state.items()))
    for device in lab.layout.device_names:
        state = 'mounted' if device in status['mounted'] else 'unmounted'
        print(device, f'server {lab.layout.node_of(device).number}', state)


def _exec(options):
    command = options.command or [os.environ.get('SHELL', '/bin/sh')]
    argv = _lab(options).inside(command)
    os.execvp(argv[0], argv)


def _snapshot(options):
    json.dump(_lab(options).snapshot(options.device), sys.stdout, indent=1)
    print()


def _compare(options):
    with open(options.manifest, encoding='utf-8') as manifest_file:
        expected = json.load(manifest_file)
    if os.path.exists(options.device):
        with open(options.device, encoding='utf-8') as manifest_file:
            actual = json.load(manifest_file)
    else:
        actual = _lab(options).snapshot(options.device)
    lines = snapshots.compare(expected, actual, garbled_text_ok=options.garbled_text_ok)
    print('\n'.join(lines) or f'equal: {len(snapshots.object_files(expected))} object files')
    return 1 if lines else 0


def _audit(options):
    quarantined, result = _lab(options).audit(int(options.server))
    print(result.output + f'quarantined: {quarantined}')
    return 1 if quarantined else 0


def _reconstruct(options):
    results, total = _lab(options).reconstruct_swift_all(options.server)
    for number, result in sorted(results.items()):
        print(f'--- server {number}\n{result.output}')
    print(f'wall {total.wall_s:.2f} s, CPU {total.cpu_s:.2f} s, '
          f'peak {total.peak_rss_kib / 1024:.0f} MiB')
    return total.exit_code


# Filling and reading.

def _add_fill(commands):
    for name, summary in (('fill', 'write objects straight to the devices (fast)'),
                          ('fill-proxy', 'put objects through the proxy')):
        fill = _command(commands, name, _fill, summary)
        fill.add_argument('--count', type=int, default=100)
        fill.add_argument('--sizes', default='16384', help='bytes, comma list, taken in turn')
        fill.add_argument('--seed', type=int, default=1)
        fill.add_argument('--container', default='fill')
        for share in ('posts', 'overwrites', 'deletes', 'expired', 'expiring', 'odd-names'):
            fill.add_argument(f'--{share}', type=float, default=0.0,
                              help='share of objects, 0 to 1')
        fill.set_defaults(through_proxy=name == 'fill-proxy')
    _command(commands, 'read-all', _read_all, 'read every object through the proxy and compare')


def _fill(options):
    lab = _lab(options)
    shares = {share: getattr(options, share) for share in
              ('posts', 'overwrites', 'deletes', 'expired', 'expiring', 'odd_names')}
    fill = lab.fill_proxy if options.through_proxy else lab.fill_fast
    fill(options.count, [int(size) for size in options.sizes.split(',')], seed=options.seed,
         container=options.container, **shares)
    print(f'{options.count} objects written (seed {options.seed})')


def _read_all(options):
    count, complaints = _lab(options).read_all()
    print('\n'.join(complaints + [f'{count} objects read, {len(complaints)} wrong']))
    return 1 if complaints else 0


# Faults on the wire.

def _add_faults(commands):
    fault = _command(commands, 'fault', _fault, 'add a rule to the fault proxy')
    fault.add_argument('action', choices=ACTIONS)
    for name in ('verb', 'path', 'side'):
        fault.add_argument(f'--{name}')
    for name in ('server', 'nth', 'times', 'status', 'at'):
        fault.add_argument(f'--{name}', type=int)
    fault.add_argument('--seconds', type=float)
    _command(commands, 'clear-faults', lambda options: _lab(options).clear_faults(),
             'remove all rules of the fault proxy')
    _command(commands, 'traffic', lambda options: print(json.dumps(_lab(options).traffic())),
             'requests by server and verb, as the fault proxy saw them')


def _fault(options):
    names = ('action', 'verb', 'path', 'side', 'server', 'nth', 'times', 'status', 'at', 'seconds')
    _lab(options).fault(**{name: getattr(options, name) for name in names
                           if getattr(options, name) is not None})
