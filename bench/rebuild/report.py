"""Tables and JSON of rebuild races, with everything needed to judge or repeat them."""

import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

FIGURES = ('wall_s', 'cpu_s', 'servers_cpu_s', 'peak_rss_mib', 'total_rss_mib',
           'fragments_per_s', 'mb_per_s', 'plain_s', 'times_plain', 'moved_s', 'times_moved')
HEADINGS = ('wall s', 'CPU s', 'servers CPU s', 'peak MiB', 'all MiB', 'fragments/s', 'MB/s',
            'plain s', 'x plain', 'moved s', 'x moved')


def case_result(case, race, rounds, swift_concurrency, trials, load_before):
    """A case as a JSON-serialisable dict; the medians are over the rounds of a side."""
    names = list(dict.fromkeys(entry.side for entry in rounds))
    medians = {name: {figure: statistics.median(getattr(entry, figure) for entry in rounds
                                                if entry.side == name)
                      for figure in FIGURES} for name in names}
    base, other = medians[names[0]], medians[names[1]]
    return {'case': case.name, 'object_bytes': case.object_bytes, 'objects': case.count,
            'fragments': race.fragments, 'fragment_bytes': race.bytes,
            'load_before': load_before, 'load_after': os.getloadavg()[0],
            'reconstructor_nodes': race.nodes, 'swift_concurrency': swift_concurrency,
            'swift_concurrency_trials_wall_s': trials,
            'rounds': [dataclasses.asdict(entry) for entry in rounds], 'medians': medians,
            'swift_over_other': {figure: base[figure] / other[figure] if other[figure] else None
                                 for figure in ('wall_s', 'cpu_s', 'servers_cpu_s',
                                                'peak_rss_mib', 'total_rss_mib')}}


def table(result):
    """The medians of a case as text, and how many times as much Swift takes."""
    lines = ['  ' + 'median'.ljust(12) + ''.join(name.rjust(15) for name in HEADINGS)]
    for name, figures in result['medians'].items():
        lines.append('  ' + name.ljust(12)
                     + ''.join(f'{figures[figure]:15.2f}' for figure in FIGURES))
    ratios = result['swift_over_other']
    lines.append('  ' + 'swift takes'.ljust(12)
                 + ''.join(f'{ratios[figure]:14.2f}x' if ratios.get(figure) else ' ' * 15
                           for figure in FIGURES).rstrip())
    return '\n'.join(lines + ['  where the time went'] + _where_time_went(result['rounds']))


def _where_time_went(rounds):
    """Of the cores' time, who had them; of what objects and sessions waited for, each cause."""
    lines = []
    for name in dict.fromkeys(entry['side'] for entry in rounds):
        own = [entry for entry in rounds if entry['side'] == name]
        idle, disk, busy, servers, ours = (
            sum(entry[figure] for entry in own)
            for figure in ('idle_s', 'disk_s', 'busy_s', 'servers_cpu_s', 'cpu_s'))
        verify, decode = (sum(entry['codec_ms'].get(part, 0) for entry in own) / 1000
                          for part in ('verify', 'decode'))
        shares = {'object servers': servers, 'verify': verify, 'decode': decode,
                  'rest of the reconstructors': max(0.0, ours - verify - decode),
                  'others': max(0.0, busy - servers - ours), 'waiting for disks': disk,
                  'idle': idle}
        lines.append(f'  {name:12} cores: {_percents(shares)}')
        waits = {}
        for entry in own:
            for cause, wait in entry['waits_ms'].items():
                waits[cause] = waits.get(cause, 0) + wait
        if any(waits.values()):
            lines.append(f'  {"":12} waits: {_percents(waits)}')
    return lines


def _percents(parts):
    whole = sum(parts.values()) or 1
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return ', '.join(f'{name} {100 * part / whole:.0f} %' for name, part in ranked if part)


def write(results, options, root, path=None):
    """Writes one file for the whole run, again with a `path` it returned; returns its path."""
    return write_document('rebuild', {'devices_on': 'tmpfs' if options.tmpfs else 'disk',
                                      'cases': results}, options, root, path)


def write_document(bench, results, options, root, path=None):
    """A bench's results with machine, date, commit and command; returns the file's path."""
    now = datetime.datetime.now(datetime.timezone.utc)
    commit = _git(root, 'rev-parse', '--short', 'HEAD') or 'unknown'
    document = {
        'bench': bench, 'date': now.isoformat(timespec='seconds'),
        'commit': commit, 'uncommitted_changes': bool(_git(root, 'status', '--porcelain')),
        'command': ' '.join([f'bench/{bench}/{os.path.basename(sys.argv[0])}']
                            + [_bare(word) for word in sys.argv[1:]]),
        'machine': machine(), 'swift': _swift_version(),
        'parameters': {name: value for name, value in vars(options).items()
                       if name not in ('fragmend', 'dir', 'results', 'dry')}, **results}
    os.makedirs(options.results, exist_ok=True)
    if path is None:
        path = os.path.join(options.results, f'{bench}-{now:%Y-%m-%d-%H%M%S}-{commit}.json')
    with open(f'{path}.part', 'w', encoding='utf-8') as out:
        json.dump(document, out, indent=1)
        out.write('\n')
    os.replace(f'{path}.part', path)
    return path


def machine():
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as cpuinfo:
        models = [line.split(':', 1)[1].strip() for line in cpuinfo
                  if line.startswith('model name')]
    return {'cpu': models[0] if models else platform.machine(), 'cores': os.cpu_count(),
            'memory_mib': os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1048576,
            'kernel': platform.release()}


def _bare(word):
    """An argument without the folders of this machine."""
    return os.path.basename(word) if word.startswith('/') else word


def _git(root, *arguments):
    done = subprocess.run(['git', '-C', root, *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip()


def _swift_version():
    import swift
    return swift.__version__
