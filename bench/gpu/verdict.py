#!/usr/bin/env python3
"""Sets the figures of a measuring session beside their targets: verdict.py OUT."""
import json
import os
import re
import sys

# What of the kernel bench's rows a target speaks of: (name, where, lost, schemes, bytes, percent).
ALL = ('isa_l_rs_cauchy', 'liberasurecode_rs_vand', 'jerasure_rs_cauchy', 'flat_xor')
KERNEL_TARGETS = [
    ('one erasure, data in device memory', 'device', 1, ('isa_l_rs_cauchy 10+4',), 85),
    ('four erasures, data in device memory', 'device', 4, ('isa_l_rs_cauchy 10+4',), 80),
    ('GF(2^16), data in device memory', 'device', 1, ('liberasurecode_rs_vand 10+4',), 80),
    ('pinned host memory and back', 'pinned', 1, ALL, 90),
    ('the same with MD5 of all survivors', 'md5', 1, ALL, 85),
]


def load(path):
    try:
        with open(path) as handle:
            return json.load(handle)
    except (OSError, ValueError) as failure:
        return {'error': str(failure)}


def kernel_lines(kernels):
    for name, where, lost, schemes, target in KERNEL_TARGETS:
        for row in kernels.get('rows', []):
            fits = (row['where'] == where and row['what'].endswith('lost %d' % lost)
                    and row['what'].startswith(schemes) and row['fragment_bytes'] > 100000)
            if fits:
                yield {'target': name, 'what': row['what'], 'fragment_bytes': row['fragment_bytes'],
                       'gb_per_s': row['gb_in_per_s'], 'percent_of_copy': row['percent_of_copy'],
                       'percent_wanted': target, 'met': row['percent_of_copy'] >= target}


def main():
    out = sys.argv[1]
    with open(os.path.join(out, 'steps')) as handle:
        steps = [json.loads(line) for line in handle]
    kernels = load(os.path.join(out, 'kernels.json'))
    codec = load(os.path.join(out, 'codec.json'))
    rivals = load(os.path.join(out, 'rivals.json'))
    rebuilds = {backend: load(os.path.join(out, 'rebuild-%s.json' % backend))
                for backend in ('gpu', 'cpu')}
    with open(os.path.join(out, 'selftest.txt')) as handle:
        counted = re.findall(r'(\d+) passed, (\d+) failed', handle.read())
    lines = list(kernel_lines(kernels))
    verdict = {
        'steps': steps,
        'selftest': {'passed': int(counted[-1][0]), 'failed': int(counted[-1][1])} if counted else None,
        'device': kernels.get('device'),
        'device_copy_bytes_per_s': kernels.get('device_copy_bytes_per_s'),
        'host_to_device_bytes_per_s': kernels.get('host_to_device_bytes_per_s'),
        'targets': lines,
        'codec': codec.get('lines', codec),
        'rebuilds': {backend: {name: result.get(name) for name in ('parameters', 'medians', 'error')
                               if name in result} for backend, result in rebuilds.items()},
        'rivals_missed': [c for c in rivals.get('contests', []) if c.get('met') is False],
    }
    with open(os.path.join(out, 'verdict.json'), 'w') as handle:
        json.dump(verdict, handle, indent=1)
    wrong = [s['step'] for s in steps
             if s['status'] != 0 and not (s['step'] == 'rivals' and s['status'] == 3)]
    for line in lines:
        print('%-42s %-34s %6.1f %% (wanted %d)%s' % (
            line['target'], line['what'], line['percent_of_copy'], line['percent_wanted'],
            '' if line['met'] else '  MISSED'))
    print('steps that failed: %s' % (', '.join(wrong) or 'none'))
    if wrong or not lines:
        return 1
    return 0 if all(line['met'] for line in lines) else 3


if __name__ == '__main__':
    sys.exit(main())
