#!/usr/bin/python3
"""Writes disk_golden.txt beside itself: pickles and xattrs as the real Swift stores them.

Lines are words separated by blanks; byte strings are in hex, `-` when empty.
    metadata NAME / item KEY s|i VALUE ... / xattr ATTRIBUTE BYTES ...   wire bytes, then what is stored
    read NAME / item ... / pickle BYTES                                  stored by older versions
    hashes NAME / suffix NAME [INDEX=MD5 ...] | none / valid 0|1 / pickle BYTES
    protocol N BYTES                                                     one value in each protocol
    hash PREFIX SUFFIX PATH DIGEST
    many COUNT MD5         the pickle of COUNT items K<i> = v
    all_suffixes MD5       the pickle of all 4096 suffixes
"""
import hashlib
import os
import pickle
import struct
import tempfile
import time

from swift.common import utils
from swift.common.header_key_dict import HeaderKeyDict
from swift.obj import diskfile

UPDATED = 1795333043.19771
OUT = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'disk_golden.txt'), 'w')


def emit(*words):
    OUT.write(' '.join(words) + '\n')


def hexed(data):
    return data.hex() or '-'


def emit_items(items):
    for key, value in items.items():
        if isinstance(value, int):
            emit('item', hexed(key), 'i', str(value))
        else:
            emit('item', hexed(key), 's', hexed(value))


def native(items):
    """As a Swift server holds them: WSGI strings, except the name."""
    out = {}
    for key, value in items.items():
        if key == b'name':
            value = value.decode('utf8', 'surrogateescape')
        elif not isinstance(value, int):
            value = value.decode('latin1')
        out[key.decode('latin1')] = value
    return out


def metadata(name, items, chunk=65536):
    with tempfile.NamedTemporaryFile(dir='/dev/shm') as fp:
        diskfile.write_metadata(fp.file, native(items), xattr_size=chunk)
        assert diskfile.read_metadata(fp.file) == native(items)
        emit('metadata', name, str(chunk))
        emit_items(items)
        for attribute in sorted(os.listxattr(fp.name)):
            emit('xattr', attribute, hexed(os.getxattr(fp.name, attribute)))


DATA = {
    b'X-Timestamp': b'1795333043.19771', b'Content-Type': b'application/octet-stream',
    b'Content-Length': b'104938', b'ETag': b'900150983cd24fb0d6963f7d28e17f72', b'name': b'/a/c/o',
    b'X-Object-Sysmeta-Ec-Frag-Index': b'3',
    b'X-Object-Sysmeta-Ec-Etag': b'd41d8cd98f00b204e9800998ecf8427e',
    b'X-Object-Sysmeta-Ec-Content-Length': b'1048576',
    b'X-Object-Sysmeta-Ec-Scheme': b'isa_l_rs_cauchy 10+4',
    b'X-Object-Sysmeta-Ec-Segment-Size': b'1048576'}

metadata('plain', DATA)
metadata('tombstone', {b'X-Timestamp': b'1795333043.19771', b'name': b'/a/c/o'})
metadata('index_as_number', {b'X-Object-Sysmeta-Ec-Frag-Index': 3, b'name': b'/a/c/o'})
metadata('numbers', {b'A': 0, b'B': 255, b'C': 256, b'D': 65535, b'E': 65536, b'F': -1,
                     b'G': 2 ** 31 - 1, b'H': 2 ** 31, b'I': -2 ** 31, b'J': -2 ** 31 - 1,
                     b'K': 2 ** 62, b'L': -2 ** 62, b'M': 2 ** 39, b'N': 2 ** 63 - 1})
metadata('one_item', {b'X-Timestamp': b'1795333043.19771'})
metadata('no_items', {})
metadata('shared_small_values', {
    b'Content-Length': b'5', b'X-Object-Meta-A': b'', b'X-Object-Meta-B': b'', b'X-Object-Meta-C':
    b'5', b'X-Object-Meta-D': b'x', b'X-Object-Meta-E': b'xx', b'X-Object-Meta-F': b'xx', b'x': b'x'})
metadata('non_ascii', {
    b'X-Object-Meta-Caf\xc3\xa9': b'caf\xc3\xa9', b'X-Object-Meta-High': bytes(range(128, 256)),
    b'X-Object-Meta-Tail': b'tail\xc2\xa0', b'X-Object-Meta-Odd': b'\xff', b'name':
    '/a/c/\u00e9\u20ac\U0001f600'.encode('utf8')})
metadata('name_not_utf8', {b'name': b'/a/c/\xff\xfe', b'X-Timestamp': b'1795333043.19771'})
metadata('many_items', {b'X-Object-Meta-%d' % i: b'value %d' % i for i in range(90)})
for count in (300, 999, 1000, 1001, 2000, 2001):
    pickled = pickle.dumps({b'K%d' % i: b'v' for i in range(count)}, 2)
    emit('many', str(count), hashlib.md5(pickled).hexdigest())
metadata('small_chunks', DATA, chunk=254)
metadata('large_value', {b'X-Object-Meta-Large': b'0123456789abcdef' * 100}, chunk=1000)


def read(name, stored, items, swift_reads=True):
    """Stored bytes that nobody writes any more; Swift must read them as the same."""
    with tempfile.NamedTemporaryFile(dir='/dev/shm') as fp:
        os.setxattr(fp.name, 'user.swift.metadata', stored)
        assert not swift_reads or diskfile.read_metadata(fp.file) == native(items), name
    emit('read', name)
    emit_items(items)
    emit('pickle', hexed(stored))


def python2_str(text):
    """Python 2's str in protocol 2, as cPickle writes it."""
    if len(text) < 256:
        return b'U' + bytes([len(text)]) + text
    return b'T' + struct.pack('<i', len(text)) + text


def python2_dict(items, head=b'}q\x01'):
    body = b''
    for slot, (key, value) in enumerate(items.items()):
        body += python2_str(key) + b'q' + bytes([2 * slot + 2])
        body += python2_str(value) + b'q' + bytes([2 * slot + 3])
    return b'\x80\x02' + head + b'(' + body + b'u.'


SMALL = {b'X-Timestamp': b'1400000000.00000', b'Content-Length': b'12', b'name': b'/a/c/o',
         b'X-Object-Meta-Long': b'y' * 300}
read('python2', python2_dict(SMALL), SMALL)
TITLED = {key.title(): value for key, value in SMALL.items()}
for module in (b'swift.common.swob', b'swift.common.header_key_dict'):
    # Swift of Python 3 stumbles over the byte strings in it.
    read('python2_header_key_dict_' + module.decode().rsplit('.', 1)[1],
         python2_dict(TITLED, b'c' + module + b'\nHeaderKeyDict\nq\x00)\x81q\x01'), TITLED, False)
for protocol in range(5):
    read('text_protocol_%d' % protocol,
         pickle.dumps({k.decode(): v.decode() for k, v in SMALL.items()}, protocol), SMALL)
    read('bytes_protocol_%d' % protocol, pickle.dumps(SMALL, protocol), SMALL)
    read('header_key_dict_protocol_%d' % protocol,
         pickle.dumps(HeaderKeyDict({k.decode(): v.decode() for k, v in SMALL.items()}), protocol),
         TITLED)


def stored_hashes(valid, suffixes):
    ordered = {'valid': valid}
    ordered.update(suffixes)
    with tempfile.TemporaryDirectory(dir='/dev/shm') as part:
        real = time.time
        time.time = lambda: UPDATED
        try:
            diskfile.write_hashes(part, ordered)
        finally:
            time.time = real
        with open(os.path.join(part, 'hashes.pkl'), 'rb') as fp:
            return fp.read()


def hashes(name, valid, suffixes):
    emit('hashes', name)
    for suffix, value in suffixes.items():
        if value is None:
            emit('suffix', suffix, 'none')
        else:
            emit('suffix', suffix, *['%s=%s' % item for item in value.items()])
    emit('valid', '1' if valid else '0')
    emit('pickle', hexed(stored_hashes(valid, suffixes)))


def digest(number):
    return '%032x' % (number * 0x1234567890abcdef)


hashes('empty', True, {})
hashes('invalid', False, {'abc': None})
hashes('one_fragment', True, {'0ed': {2: digest(1)}})
hashes('usual', True, {'07e': {None: digest(2), 3: digest(3)}, '0ed': None,
                       'abc': {None: digest(4), 0: digest(5), 13: digest(6), 300: digest(7)},
                       'fff': {}})
emit('all_suffixes', hashlib.md5(stored_hashes(True, {
    '%03x' % i: {None: digest(i), i % 14: digest(i + 1)} for i in range(4096)})).hexdigest())

VALUE = {'text \u00e9\u20ac\\n': b'\x00\xffbytes', 1: [1, -1, 2 ** 40, -2 ** 40, 255, 256, 65536],
         None: (True, False, None), 1.5: {'nested': [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]},
         'again': ['same text, long enough'] * 3, 'empty': [{}, [], '', b''], -0.25: 1e300}
for protocol in range(5):
    emit('protocol', str(protocol), hexed(pickle.dumps(VALUE, protocol)))

for prefix, suffix, path in (('pre', 'suf', '/a/c/obj\u00e9 1'), ('', 'x', '/a/c/o/p'),
                             ('\xff', '', '/\u20ac/c/o')):
    utils.HASH_PATH_PREFIX = prefix.encode('latin1')
    utils.HASH_PATH_SUFFIX = suffix.encode('latin1')
    emit('hash', hexed(utils.HASH_PATH_PREFIX), hexed(utils.HASH_PATH_SUFFIX),
         hexed(path.encode('utf8')), utils.hash_path(*path[1:].split('/', 2)))
