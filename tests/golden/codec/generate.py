#!/usr/bin/python3
"""Writes the golden fragments of this folder with the real PyECLib.

Each file holds the k + m fragments of one segment, one after another. The segment is the bytes 00..ff
four times, then `tail!` (1029 bytes). Run it beside an installed liberasurecode with its back ends:

    /usr/bin/python3 tests/golden/codec/generate.py
"""
import os
import sys

from pyeclib.ec_iface import ECDriver

SEGMENT = bytes(range(256)) * 4 + b'tail!'
SCHEMES = [
    ('liberasurecode_rs_vand', 4, 2),
    ('jerasure_rs_vand', 4, 2),
    ('jerasure_rs_cauchy', 4, 2),
    ('isa_l_rs_vand', 4, 2),
    ('isa_l_rs_cauchy', 4, 2),
    ('isa_l_rs_cauchy', 10, 4),
    ('flat_xor_hd_3', 10, 5),
    ('flat_xor_hd_4', 10, 5),
]


def write(name, fragments):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), 'wb') as out:
        out.write(b''.join(fragments))


def main():
    os.environ.pop('LIBERASURECODE_WRITE_LEGACY_CRC', None)
    for ec_type, k, m in SCHEMES:
        driver = ECDriver(k=k, m=m, ec_type=ec_type)
        write('%s_%d_%d.bin' % (ec_type, k, m), driver.encode(SEGMENT))
    os.environ['LIBERASURECODE_WRITE_LEGACY_CRC'] = '1'
    driver = ECDriver(k=4, m=2, ec_type='isa_l_rs_cauchy')
    write('isa_l_rs_cauchy_4_2_legacy_crc.bin', driver.encode(SEGMENT))


if __name__ == '__main__':
    sys.exit(main())
