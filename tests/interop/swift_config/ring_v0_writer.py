"""Writes ring files of version 0: gzip over a pickle, with no magic. Swift wrote them until 2012."""
import gzip
import pickle
import struct


class Python2Pickler:
    """Assembles pickles opcode by opcode as cPickle of Python 2.7 did in protocol 2: byte strings
    where Python 3 has text, and arrays as a call with a list."""

    def __init__(self):
        self.out = b'\x80\x02'
        self.slots = 0

    def memoize(self):
        self.slots += 1
        self.out += (b'q' + bytes([self.slots]) if self.slots < 256
                     else b'r' + struct.pack('<I', self.slots))

    def string(self, text):
        raw = text.encode('ascii')
        self.out += (b'U' + bytes([len(raw)]) if len(raw) < 256
                     else b'T' + struct.pack('<i', len(raw))) + raw
        self.memoize()

    def number(self, value):
        if 0 <= value < 1 << 8:
            self.out += b'K' + bytes([value])
        elif 0 <= value < 1 << 16:
            self.out += b'M' + struct.pack('<H', value)
        else:
            self.out += b'J' + struct.pack('<i', value)

    def batches(self, items, opcode, save):
        for start in range(0, len(items), 1000):
            self.out += b'('
            for item in items[start:start + 1000]:
                save(item)
            self.out += opcode

    def list(self, items):
        self.out += b']'
        self.memoize()
        self.batches(items, b'e', self.value)

    def dict(self, mapping):
        def save(item):
            self.string(item[0])
            self.value(item[1])
        self.out += b'}'
        self.memoize()
        self.batches(list(mapping.items()), b'u', save)

    def array(self, row):
        self.out += b'carray\narray\n'
        self.memoize()
        self.string('H')
        self.list(list(row))
        self.out += b'\x86'
        self.memoize()
        self.out += b'R'
        self.memoize()

    def value(self, value):
        if value is None:
            self.out += b'N'
        elif isinstance(value, str):
            self.string(value)
        elif isinstance(value, int):
            self.number(value)
        elif isinstance(value, float):
            self.out += b'G' + struct.pack('>d', value)
        elif isinstance(value, dict):
            self.dict(value)
        elif isinstance(value, list):
            self.list(value)
        else:
            self.array(value)

    def instance(self, cls, attributes):
        self.out += b'c' + cls.encode('ascii') + b'\n'
        self.memoize()
        self.out += b')\x81'
        self.memoize()
        self.dict(attributes)
        self.out += b'b'


def python2_dict(data):
    pickler = Python2Pickler()
    pickler.value({'devs': data.devs, 'part_shift': data._part_shift,
                   'replica2part2dev_id': data._replica2part2dev_id})
    return pickler.out + b'.'


def python2_instance(data):
    pickler = Python2Pickler()
    pickler.instance('swift.common.ring.ring\nRingData', {
        'devs': data.devs, '_part_shift': data._part_shift,
        '_replica2part2dev_id': data._replica2part2dev_id})
    return pickler.out + b'.'


def python3_dict(data, protocol):
    return pickle.dumps(data.to_dict(), protocol)


def python3_instance(data, protocol):
    return pickle.dumps(data, protocol)


def write_ring_v0(path, pickled):
    with gzip.open(path, 'wb') as out:
        out.write(pickled)
