"""Writes ring files of version 2 (Swift 2.36): sections, checksums, an index. The last block is not
stored as Swift does for readers that seek; whoever inflates the whole file sees the same bytes."""
import array
import gzip
import hashlib
import json
import struct
import sys


def write_ring_v2(path, ring, dev_id_bytes, checksum_method='sha256', extra_section=True):
    """`ring` is a dict with devs, part_shift, rows, version and next_part_power."""
    with open(path, 'wb') as raw:
        _write(raw, ring, dev_id_bytes, checksum_method, extra_section)


def _write(raw, ring, dev_id_bytes, checksum_method, extra_section):
    packed = gzip.GzipFile('', 'wb', fileobj=raw, mtime=0)
    position = 0
    index = {}

    def write(data):
        nonlocal position
        packed.write(data)
        position += len(data)

    def flush():
        packed.flush(3)  # Z_FULL_FLUSH
        return raw.tell()

    def blob(data):
        write(struct.pack('!Q', len(data)) + data)

    def section(name, data):
        start = position
        packed_start = flush()
        blob(data)
        digest = hashlib.new(checksum_method, struct.pack('!Q', len(data)) + data).hexdigest()
        index[name] = [packed_start, start, flush(), position, checksum_method, digest]

    write(struct.pack('!4sH', b'R1NG', 2))
    metadata = {'part_shift': ring['part_shift'], 'dev_id_bytes': dev_id_bytes,
                'replica_count': ring['replica_count'], 'version': ring['version']}
    if ring['next_part_power'] is not None:
        metadata['next_part_power'] = ring['next_part_power']
    section('swift/ring/metadata', json.dumps(metadata).encode('ascii'))
    section('swift/ring/devices', json.dumps(ring['devs']).encode('ascii'))
    if extra_section:
        section('some/other/section', b'to be ignored')
    ids = array.array({2: 'H', 4: 'I'}[dev_id_bytes])
    for row in ring['rows']:
        ids.extend(list(row))
    if sys.byteorder == 'little':
        ids.byteswap()
    section('swift/ring/assignments', ids.tobytes())
    start, packed_start = position, flush()
    blob(json.dumps(index).encode('ascii'))
    flush()
    write(struct.pack('!Q', start))
    flush()
    write(struct.pack('!Q', packed_start))
    packed.close()
