#!/usr/bin/python3
"""Rebuilds a wiped device of a real Swift lab, in turn by Swift's reconstructor and by Fragmend.

Same object servers, same damage, alternating order; see README.md. Writes bench/results/*.json.
"""

import argparse
import dataclasses
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [_HERE, os.path.join(_ROOT, 'tests', 'lab')]

import contest  # noqa: E402
import report  # noqa: E402
from lab import Lab, LabError  # noqa: E402
from swiftlab.running import SWIFT_RECONSTRUCTOR  # noqa: E402

MIB = 1048576


def parse(arguments):
    parser = argparse.ArgumentParser(prog='bench', description=__doc__.splitlines()[0])
    parser.add_argument('--fragmend', default=os.path.join(_ROOT, 'build', 'fragmend'),
                        help='the program (default: build/fragmend)')
    parser.add_argument('--fragmend-option', action='append', default=[], metavar='NAME=VALUE',
                        help='an option of [object-reconstructor] for Fragmend only')
    parser.add_argument('--dry', action='store_true',
                        help='Swift on both sides: tries the bench itself, writes no result')
    parser.add_argument('--rounds', type=int, default=3, help='of each side (default: 3)')
    parser.add_argument('--case', choices=('small', 'large'), action='append',
                        help='only this kind of objects')
    parser.add_argument('--small-count', type=int, default=1000, help='objects of 16 KiB')
    parser.add_argument('--large-count', type=int, default=24, help='objects of 32 MiB')
    parser.add_argument('--swift-concurrency', default='4,16',
                        help='values to try; the fastest one races (default: 4,16)')
    parser.add_argument('--per-device', type=int, default=1,
                        help='replication_concurrency_per_device of the servers (default: 1, '
                             "which is Swift's)")
    parser.add_argument('--workers', type=int, default=min(4, os.cpu_count()),
                        help='processes an object server forks (default: one a core, at most 4)')
    parser.add_argument('--ec-type', default='isa_l_rs_cauchy')
    parser.add_argument('-k', type=int, default=4)
    parser.add_argument('-m', type=int, default=2)
    parser.add_argument('--servers', type=int, default=4)
    parser.add_argument('--devices', type=int, default=8)
    parser.add_argument('--part-power', type=int, default=5)
    parser.add_argument('--device', default='d3', help='the one to wipe (default: d3)')
    parser.add_argument('--nodes', choices=('swift', 'fragmend'), default='swift',
                        help="who runs the object servers that Fragmend's reconstructors meet: "
                             'Swift (default), or Fragmend as well')
    parser.add_argument('--large-bytes', type=int, default=32 * MIB,
                        help='size of large objects (default: 32 MiB)')
    parser.add_argument('--tmpfs', action='store_true',
                        help='devices in memory: hides the cost of fsync')
    parser.add_argument('--dir', help='make the labs below this folder, e.g. on another disk; they are '
                             'removed at the end')
    parser.add_argument('--results', default=os.path.join(_ROOT, 'bench', 'results'),
                        help='where the JSON goes (default: bench/results)')
    return parser.parse_args(arguments)


def make_lab(options, case):
    # Twice what a device will hold, and some pages for each small file.
    share = case.count * (options.k + options.m) / options.devices
    room_mib = 64 + int(2 * share * (case.object_bytes / options.k + 32768) / MIB)
    return Lab(below=options.dir, ec_type=options.ec_type, k=options.k, m=options.m,
               servers=options.servers, devices=options.devices, part_power=options.part_power,
               replication_concurrency_per_device=options.per_device, tmpfs=options.tmpfs,
               tmpfs_mib=room_mib, workers=options.workers)


def sides(options, swift_concurrency):
    """The two that race; in a dry run both are Swift."""
    swift = contest.Side('swift', [SWIFT_RECONSTRUCTOR], ('once', '-v'),
                         {'concurrency': swift_concurrency})
    if options.dry:
        return [swift, contest.Side('swift-again', swift.argv, swift.arguments, swift.options)]
    extra = dict(text.split('=', 1) for text in options.fragmend_option)
    program = os.path.abspath(options.fragmend)
    ours = contest.Side('fragmend', [program, 'reconstructor'], ('--once', '--json'), extra)
    both = dataclasses.replace(ours, name='fragmend-both', server=[program, 'server'])
    return [swift, both] if options.nodes == 'fragmend' else [swift, ours]


def fastest_concurrency(options, race):
    """The value with which Swift is fastest on this very case, and what each one took."""
    values = [int(value) for value in options.swift_concurrency.split(',')]
    if len(values) == 1:
        return values[0], {}
    taken = {value: race.round(sides(options, value)[0]).wall_s for value in values}
    for value, wall_s in taken.items():
        print(f'  swift with concurrency {value}: {wall_s:.2f} s', flush=True)
    return min(taken, key=taken.get), taken


def run_case(options, case):
    print(f'{case.name}: {case.count} objects of {case.object_bytes} bytes', flush=True)
    with make_lab(options, case) as lab:
        load_before = os.getloadavg()[0]
        if load_before > 0.25 * os.cpu_count():
            print(f'  warning: the machine is busy (load {load_before:.1f}); wall times will lie',
                  flush=True)
        race = contest.Race(lab, options.device, case)
        race.prepare()
        print(f'  {race.fragments} fragments, {race.bytes / 1e6:.1f} MB on {options.device}; '
              f'partners at servers {race.nodes}', flush=True)
        concurrency, trials = fastest_concurrency(options, race)
        pair = sides(options, concurrency)
        rounds = []
        for number in range(options.rounds):
            # Who goes first alternates, so that neither always inherits the other's caches.
            for side in pair if number % 2 == 0 else reversed(pair):
                rounds.append(race.round(side))
                print(f'  {rounds[-1].line()}', flush=True)
    result = report.case_result(case, race, rounds, concurrency, trials, load_before)
    print(report.table(result), flush=True)
    return result


def main():
    options = parse(sys.argv[1:])
    if not options.dry and not os.access(options.fragmend, os.X_OK):
        sys.exit(f'bench: no program at {options.fragmend}; build it, or try --dry')
    cases = [contest.Case('small', 16384, options.small_count),
             contest.Case('large', options.large_bytes, options.large_count)]
    if options.dir:
        os.makedirs(options.dir, exist_ok=True)
    results, path = [], None
    for case in cases:
        if options.case and case.name not in options.case:
            continue
        results.append(run_case(options, case))
        # After each case: one that fails takes nothing from those before it.
        if not options.dry:
            path = report.write(results, options, _ROOT, path)
            print(f'written: {os.path.relpath(path)}', flush=True)
    if options.dry:
        print('dry run: no result written')
    return 0 if all(entry['whole'] for result in results for entry in result['rounds']) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (contest.RaceFailed, LabError, OSError) as failure:
        sys.exit(f'bench: {failure}')
