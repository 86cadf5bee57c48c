"""Which objects a fill makes: histories of PUT, POST and DELETE. Pure and repeatable, no I/O.

A history is what the fast fill writes to disk; as JSON:

    {"account": "AUTH_lab", "container": "c", "name": "o", "policy": 1, "events": [
        {"op": "put", "at": 1795332145.61494, "bytes": 16384, "content_type": "text/plain",
         "meta": {"Color": "blue"}, "delete_at": null},
        {"op": "post", "at": 1795332155.61494, "meta": {"Color": "red"}, "content_type": null},
        {"op": "delete", "at": 1795332165.61494}]}

Times are numbers or Swift's texts ('1795332145.61494_000000000000000a' has an offset). Every event
may carry `"indexes": [0, 2]` (only these fragments' devices see it) and `"place": {"2": "d7"}`
(fragment 2 goes to that device instead of its primary, e.g. a handoff); a put also
`"durable": false` (never committed) or `"durable": "legacy"` (a `.durable` file, as before 2.11).
"""

import random
import time

ODD_NAMES = ('ü{n}', 'with space {n}', 'percent%41%2F{n}', '日本/深い/{n}', 'semi;amp&eq={n}',
             "quote'\"{n}", 'plus+{n}', 'long-' + 'x' * 200 + '-{n}', 'dot/./{n}', '~{n}\U0001f600')
LONG_VALUE = 'v' * 256
PIECE_BYTES = 1 << 26


def content(key, size):
    """The bytes of an object: pseudo-random, from a key that names object and version."""
    dice = random.Random(key)
    # In pieces, because randbytes makes less than 256 MiB at a time.
    return b''.join(dice.randbytes(min(PIECE_BYTES, size - start))
                    for start in range(0, size, PIECE_BYTES))


def content_key(history, event):
    return f'{history["account"]}/{history["container"]}/{history["name"]}@{event["at"]}'


def histories(count, sizes=(16384,), seed=1, policy=1, account='AUTH_lab', container='fill',
              posts=0.0, overwrites=0.0, deletes=0.0, expired=0.0, expiring=0.0, odd_names=0.0,
              odd_meta=0.2, age_s=3600, now=None):
    """`count` histories; the shares (0 to 1) say how many objects get each peculiarity.

    Sizes are taken in turn. All happened `age_s` ago, so that no window for young files applies.
    """
    base = (time.time() if now is None else now) - age_s
    made = []
    for number in range(count):
        dice = random.Random(f'{seed}/{container}/{number}')
        name = f'o{number:06d}'
        if dice.random() < odd_names:
            name = ODD_NAMES[number % len(ODD_NAMES)].format(n=number)
        at = base + number * 0.001
        put = {'op': 'put', 'at': at, 'bytes': sizes[number % len(sizes)],
               'content_type': 'application/octet-stream', 'meta': _metadata(dice, odd_meta)}
        events = [put]
        if dice.random() < overwrites:
            events.insert(0, dict(put, at=at - 600, bytes=max(0, put['bytes'] - 1)))
        if dice.random() < expired:
            put['delete_at'] = int(base + count + 60)
        elif dice.random() < expiring:
            put['delete_at'] = int(base + age_s + 86400)
        if dice.random() < posts:
            events.append({'op': 'post', 'at': at + 60, 'meta': _metadata(dice, odd_meta),
                           'delete_at': put.get('delete_at'),
                           'content_type': 'image/png' if dice.random() < 0.3 else None})
        if dice.random() < deletes:
            events.append({'op': 'delete', 'at': at + 120})
        made.append({'account': account, 'container': container, 'name': name, 'policy': policy,
                     'events': events})
    return made


def _metadata(dice, odd):
    meta = {'Color': dice.choice(('blue', 'red', 'green'))}
    if dice.random() < odd:
        meta['City'] = 'Zürich 東京'
    if dice.random() < odd / 2:
        meta['Long'] = LONG_VALUE
    return meta


def outcome(history, now=None):
    """What a client must see now: the last put event, or None, and the newest metadata."""
    now = time.time() if now is None else now
    put, meta = None, {}
    for event in history['events']:
        if event['op'] == 'put':
            put, meta = event, event.get('meta') or {}
            delete_at = event.get('delete_at')
        elif event['op'] == 'post' and put:
            meta, delete_at = event.get('meta') or {}, event.get('delete_at')
        elif event['op'] == 'delete':
            put = None
    if put is None or (delete_at and delete_at <= now):
        return None, {}
    return put, meta
