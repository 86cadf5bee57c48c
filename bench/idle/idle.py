#!/usr/bin/python3
"""What a pass with nothing to do costs, Swift's reconstructor and Fragmend in turn on the same disks.

See README.md. Writes bench/results/idle-*.json.
"""

import argparse
import dataclasses
import datetime
import json
import os
import re
import statistics
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [os.path.join(os.path.dirname(_HERE), 'rebuild'), os.path.join(_ROOT, 'tests', 'lab')]

import report  # noqa: E402
from lab import Lab, LabError  # noqa: E402
from swiftlab.running import SWIFT_RECONSTRUCTOR  # noqa: E402

PASS_LIMIT_S = 3600.0
TARGET = 20.0
FIGURES = ('wall_s', 'cpu_s', 'servers_cpu_s', 'peak_rss_mib')
DATA_FILE = re.compile(r'#\d+#d\.data$')


@dataclasses.dataclass
class Round:
    side: str
    wall_s: float
    cpu_s: float
    servers_cpu_s: float
    peak_rss_mib: float


def parse(arguments):
    parser = argparse.ArgumentParser(prog='idle', description=__doc__.splitlines()[0])
    parser.add_argument('--fragmend', default=os.path.join(_ROOT, 'build', 'fragmend'),
                        help='the program (default: build/fragmend)')
    parser.add_argument('--fragments', type=int, default=100_000, help='on all disks together')
    parser.add_argument('--object-bytes', type=int, default=64)
    parser.add_argument('--part-power', type=int, default=10)
    parser.add_argument('--rounds', type=int, default=3, help='of each side (default: 3)')
    parser.add_argument('--servers', type=int, default=1)
    parser.add_argument('--devices', type=int, default=6)
    parser.add_argument('-k', type=int, default=4)
    parser.add_argument('-m', type=int, default=2)
    parser.add_argument('--swift-concurrency', type=int, default=4)
    parser.add_argument('--dir', help='make the lab below this folder; it is removed at the end')
    parser.add_argument('--results', default=os.path.join(_ROOT, 'bench', 'results'),
                        help='where the JSON goes (default: bench/results)')
    return parser.parse_args(arguments)


def one_pass(lab, name, argv, arguments, options):
    """A pass at all servers, of which every one must say that all is well."""
    before_s = lab.servers_cpu_s()
    results, total = lab.reconstruct(argv, None, arguments, PASS_LIMIT_S, options)
    for node, run in results.items():
        if run.timed_out or run.exit_code:
            sys.exit(f'idle: {name} at server {node} ended with {run.exit_code}\n'
                     f'{run.output[-2000:]}')
    return Round(name, total.wall_s, total.cpu_s, lab.servers_cpu_s() - before_s,
                 total.peak_rss_kib / 1024)


def count_fragments(lab):
    return sum(bool(DATA_FILE.search(name)) for device in lab.layout.device_names
               for _folder, _folders, names in os.walk(lab.device_path(device)) for name in names)


def run(options):
    load_before = os.getloadavg()[0]
    swift = ('swift', [SWIFT_RECONSTRUCTOR], ('once',),
             {'concurrency': options.swift_concurrency})
    fragmend = ('fragmend', [os.path.abspath(options.fragmend), 'reconstructor'], ('--once',), {})
    if options.dir:
        os.makedirs(options.dir, exist_ok=True)
    with Lab(below=options.dir, k=options.k, m=options.m, ec_type='isa_l_rs_cauchy',
             servers=options.servers, devices=options.devices,
             part_power=options.part_power) as lab:
        lab.fill_fast(-(-options.fragments // (options.k + options.m)), [options.object_bytes],
                      odd_meta=0)
        fragments = count_fragments(lab)
        print(f'{fragments} fragments in {1 << options.part_power} partitions on '
              f'{options.devices} devices', flush=True)
        # The first pass hashes everything; what is measured comes after it.
        settling = one_pass(lab, *swift)
        print(f'  settled in {settling.wall_s:.1f} s', flush=True)
        one_pass(lab, *fragmend)
        rounds = []
        for number in range(options.rounds):
            for side in (swift, fragmend) if number % 2 == 0 else (fragmend, swift):
                rounds.append(one_pass(lab, *side))
                print('  ' + '  '.join(f'{value:.2f}' if isinstance(value, float) else value.ljust(8)
                                       for value in dataclasses.astuple(rounds[-1])), flush=True)
    medians = {name: {figure: statistics.median(getattr(one, figure) for one in rounds
                                                if one.side == name) for figure in FIGURES}
               for name in ('swift', 'fragmend')}
    return {'fragments': fragments, 'rounds': [dataclasses.asdict(one) for one in rounds],
            'medians': medians, 'load_before': load_before, 'load_after': os.getloadavg()[0],
            'swift_over_fragmend': {figure: medians['swift'][figure] / medians['fragmend'][figure]
                                    for figure in FIGURES}}


def main():
    options = parse(sys.argv[1:])
    result = run(options)
    ratio = result['swift_over_fragmend']
    for name, figures in result['medians'].items():
        print(f'  {name.ljust(9)}' + '  '.join(f'{figure} {value:.2f}'
                                               for figure, value in figures.items()))
    print(f"  CPU: Swift takes {ratio['cpu_s']:.1f} times as much (target: {TARGET:.0f})")
    path = report.write_document('idle', result, options, _ROOT)
    print(f'written: {os.path.relpath(path)}')
    return 0 if ratio['cpu_s'] >= TARGET else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (LabError, OSError) as failure:
        sys.exit(f'idle: {failure}')
