#!/usr/bin/env python3
"""Sets the figures of a measuring session beside their targets: verdict.py FOLDER...

A folder holds what one part of bench/gpu/session.sh wrote; several become one verdict, which is written into
the first. Exit codes: 0 all is right and every target that was measured was met, 3 a target was missed, 1
something is wrong or was not run.
"""
import json
import os
import re
import sys

# What of the kernel bench's rows a target speaks of: (name, where, lost, schemes, kernel, percent); of
# fragments of more than 100,000 bytes. Kernel None: any.
ALL = ('isa_l_rs_cauchy', 'isa_l_rs_vand', 'liberasurecode_rs_vand', 'jerasure_rs_cauchy',
       'jerasure_rs_vand', 'flat_xor')
KERNEL_TARGETS = [
    ('one erasure, data in device memory', 'device', 1, ('isa_l_rs_cauchy 10+4',), 'gf8', 85),
    ('four erasures, data in device memory', 'device', 4, ('isa_l_rs_cauchy 10+4',), 'gf8', 80),
    ('GF(2^16), data in device memory', 'device', 1, ('liberasurecode_rs_vand 10+4',), 'gf16', 80),
    ('pinned host memory and back', 'pinned', 1, ALL, None, 90),
    ('the same with MD5 of all survivors and outputs', 'md5', 1, ALL, None, 85),
]


def load(folders, name):
    for folder in folders:
        try:
            with open(os.path.join(folder, name)) as handle:
                return json.load(handle)
        except OSError:
            continue
        except ValueError as failure:
            return {'error': '%s: %s' % (name, failure)}
    return {}


def load_lines(folders, name):
    """Whole lines; a last one that was cut off is left out."""
    lines = []
    for folder in folders:
        try:
            with open(os.path.join(folder, name)) as handle:
                text = handle.readlines()
        except OSError:
            continue
        for line in text:
            try:
                lines.append(json.loads(line))
            except ValueError:
                pass
    return lines


def selftest(folders, name):
    for folder in folders:
        try:
            with open(os.path.join(folder, name)) as handle:
                text = handle.read()
        except OSError:
            continue
        counted = re.findall(r'(\d+) passed, (\d+) failed', text)
        out_of_time = re.findall(r'out of time.*', text)
        return {'passed': int(counted[-1][0]) if counted else None,
                'failed': int(counted[-1][1]) if counted else None,
                'out_of_time': out_of_time[0] if out_of_time else None}
    return None


def target_lines(rows):
    """A line for each row that a target speaks of; one without a row says so."""
    for name, where, lost, schemes, kernel, wanted in KERNEL_TARGETS:
        for scheme in schemes:
            fits = [row for row in rows if row['where'] == where and row['lost'] == lost
                    and row['scheme'].startswith(scheme) and row['fragment_bytes'] > 100000
                    and kernel in (None, row['kernel'])]
            if not fits:
                yield {'target': name, 'scheme': scheme, 'percent_wanted': wanted, 'met': None}
            for row in fits:
                sound = 'wrong' not in row and 'error' not in row
                percent = row.get('percent_of_copy', 0) if sound else 0
                yield {'target': name, 'scheme': row['scheme'], 'kernel': row['kernel'],
                       'fragment_bytes': row['fragment_bytes'], 'gb_in_per_s': row.get('gb_in_per_s'),
                       'percent_of_copy': percent, 'percent_wanted': wanted, 'met': percent >= wanted}


def judge(steps, rows):
    """Names of the steps that went wrong, and of those that were not run."""
    # A rival's lead is a result, not a failure.
    wrong = [s['step'] for s in steps if isinstance(s['status'], int) and s['status'] != 0
             and not (s['step'] == 'rivals' and s['status'] == 3)]
    wrong += ['%s, %s, %d B' % (row['scheme'], row['where'], row['fragment_bytes'])
              for row in rows if 'wrong' in row or 'error' in row]
    not_run = ['%s (%s)' % (s['step'], s['status']) for s in steps if not isinstance(s['status'], int)]
    return wrong, not_run


def say_target(line):
    if line['met'] is None:
        print('%-46s %-30s was not measured' % (line['target'], line['scheme']))
        return
    print('%-46s %-30s %6.1f %% (wanted %d)%s' % (
        line['target'], line['scheme'], line['percent_of_copy'], line['percent_wanted'],
        '' if line['met'] else '  MISSED'))


def main():
    folders = sys.argv[1:]
    steps = load_lines(folders, 'steps')
    measured = any(s['step'] == 'kernels' for s in steps)
    kernels = load_lines(folders, 'kernels.jsonl')
    rows = [line for line in kernels if 'where' in line]
    facts = {key: value for line in kernels if 'where' not in line for key, value in line.items()}
    codec = load(folders, 'codec.json')
    rivals = load(folders, 'rivals.json')
    by_backend = {name: {backend: load(folders, '%s-%s.json' % (name, backend))
                         for backend in ('gpu', 'cpu', 'auto')} for name in ('rebuild', 'pipeline')}
    lines = list(target_lines(rows)) if measured else []
    wrong, not_run = judge(steps, rows)
    verdict = {
        'steps': steps,
        'wrong': wrong,
        'not_run': not_run,
        'selftest': selftest(folders, 'selftest.txt'),
        'selftest_full': selftest(folders, 'selftest-full.txt'),
        'machine': facts,
        'targets': lines,
        'codec': codec.get('lines', codec),
        'rebuilds': {backend: {name: result[name] for name in ('parameters', 'medians', 'error')
                               if name in result} for backend, result in by_backend['rebuild'].items()
                     if result},
        'pipelines': {backend: result.get('large', result)
                      for backend, result in by_backend['pipeline'].items() if result},
        'rivals_missed': [c for c in rivals.get('contests', []) if c.get('met') is False],
    }
    with open(os.path.join(folders[0], 'verdict.json'), 'w') as handle:
        json.dump(verdict, handle, indent=1)
    for line in lines:
        say_target(line)
    for name in ('selftest', 'selftest_full'):
        if verdict[name]:
            print('%s: %s' % (name, verdict[name]))
    print('steps that failed: %s' % (', '.join(wrong) or 'none'))
    print('steps that were not run: %s' % (', '.join(not_run) or 'none'))
    late = any(s['status'] == 'no time' for s in steps)
    if wrong or late or any(line['met'] is None for line in lines):
        return 1
    return 0 if all(line['met'] for line in lines) else 3


if __name__ == '__main__':
    sys.exit(main())
