"""Which objects the tests store: sizes at every boundary, and objects with a peculiar history.

Everything is a history as object_plan of the lab describes it.
"""

import time

# Bytes of a word of the code: a block's length is a multiple of it. Source: liberasurecode's
# element sizes; jerasure_rs_cauchy works on 4 packets of 1024 bytes.
WORD_BYTES = {'liberasurecode_rs_vand': 2, 'jerasure_rs_vand': 2, 'jerasure_rs_cauchy': 4096,
              'isa_l_rs_vand': 1, 'isa_l_rs_cauchy': 1,
              'flat_xor_hd': 4, 'flat_xor_hd_3': 4, 'flat_xor_hd_4': 4}
MIB = 1 << 20
AGE_S = 3600


def boundary_sizes(policy, thorough=True):
    """0, 1, and one byte around the boundaries of words, fragments and segments."""
    unit = policy.k * WORD_BYTES[policy.ec_type]
    segment = policy.segment_bytes
    block = -(-segment // unit) * unit // policy.k
    edges = [segment, 2 * segment]
    if thorough:
        edges += [unit, block, (policy.k - 1) * block, segment + block, 3 * segment]
    sizes = {0, 1}
    for edge in edges:
        sizes.update((edge - 1, edge, edge + 1))
    return sorted(sizes)


def put(at, size, **more):
    return {'op': 'put', 'at': at, 'bytes': size, 'content_type': 'text/plain', **more}


def history(policy, name, *events, container='c'):
    return {'account': 'AUTH_lab', 'container': container, 'name': name, 'policy': policy.index,
            'events': list(events)}


def base_time():
    """A moment so long ago that no window for young files applies, with five decimals."""
    return round(time.time() - AGE_S, 2)


def sized(policy, sizes, container='sizes'):
    """One plain object a size."""
    at = base_time()
    return [history(policy, f'{size} bytes', put(at + number * 0.00001, size, meta={'N': 'v'}),
                    container=container)
            for number, size in enumerate(sizes)]


def peculiar(policy, size=3000):
    """Odd names, odd metadata, and every kind of history that ends in files of its own kind."""
    at = base_time()
    soon, past = int(time.time()) + 86400, int(at) + 5
    named = [history(policy, name, put(at, size + number, meta={'Utf8-Name': name[:60]}))
             for number, name in enumerate((
                 'ü', '日本/深い', 'with space', 'percent%41%2F%', 'semi;amp&eq=?#', "quote'\"",
                 'n' * 900, '\U0001f600~', 'dot/./..', 'tab\tinside'))]
    values = {'Utf8-City': 'Zürich 東京', 'Long': 'v' * 256, 'Empty': '', 'Spaces': 'a  b',
              'Percent': '100%25 %zz', 'Quotes': '"a", \'b\'', 'Colon': 'a: b; c=d'}
    headers = {'Content-Encoding': 'gzip', 'Content-Disposition': 'attachment; filename="a b"',
               'X-Object-Sysmeta-Lab': 'kept', 'X-Static-Large-Object': 'True'}
    return named + [
        history(policy, 'metadata', put(at, size, meta=values, headers=headers)),
        history(policy, 'many values', put(at, 1, meta={f'K{i}': f'{i}' for i in range(40)})),
        history(policy, 'posted', put(at, size, meta={'A': '1'}),
                {'op': 'post', 'at': at + 5, 'meta': {'B': '2', 'Utf8-C': 'ö'}}),
        history(policy, 'posted type', put(at, size, meta={'A': '1'}),
                {'op': 'post', 'at': at + 5, 'meta': {}, 'content_type': 'image/png'}),
        history(policy, 'posted twice', put(at, size),
                {'op': 'post', 'at': at + 5, 'meta': {'B': '2'}},
                {'op': 'post', 'at': at + 9, 'meta': {'C': '3'}, 'content_type': 'image/png'}),
        history(policy, 'posted zero', put(at, 0),
                {'op': 'post', 'at': at + 5, 'meta': {'Z': '0'}}),
        history(policy, 'overwritten', put(at, size), put(at + 5, size + 77)),
        history(policy, 'shrunk', put(at, size), put(at + 5, 0)),
        history(policy, 'deleted', put(at, size), {'op': 'delete', 'at': at + 5}),
        history(policy, 'returned', put(at, size), {'op': 'delete', 'at': at + 5},
                put(at + 9, size)),
        history(policy, 'expired', put(at, size, delete_at=past)),
        history(policy, 'expiring', put(at, size, delete_at=soon)),
        history(policy, 'expiring by post', put(at, size),
                {'op': 'post', 'at': at + 5, 'meta': {}, 'delete_at': soon}),
        history(policy, 'offset', put(f'{at:016.5f}_000000000000000a', size)),
    ]


def merged(policy, size=3000):
    """Objects of which a rebuild lawfully leaves other files: to be compared with Swift's doing."""
    at = base_time()
    return [history(policy, 'type, then metadata', put(at, size),
                    {'op': 'post', 'at': at + 5, 'meta': {'B': '2'}, 'content_type': 'image/png'},
                    {'op': 'post', 'at': at + 9, 'meta': {'C': '3'}}),
            history(policy, 'committed by a .durable file', put(at, size, durable='legacy')),
            history(policy, 'newer one not durable', put(at, size),
                    put(at + 5, size + 1, durable=False, indexes=[0, 1, 2, 3]))]
