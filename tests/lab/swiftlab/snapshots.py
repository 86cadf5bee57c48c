"""Manifests of devices, and their comparison.

A manifest is JSON-serialisable: {relative path: entry}, where an entry holds

    bytes, sha256, mode   of the file
    xattrs                {name: hex}
    metadata              the dict that Swift's own read_metadata decodes, or None, or
                          {"unreadable": reason}
"""

import hashlib
import os
import re

_OBJECT_FILE = re.compile(
    r'^objects(-\d+)?/\d+/[0-9a-f]{3}/[0-9a-f]{32}/[^/]+\.(data|meta|ts|durable)$')


def take(root):
    """The manifest of every regular file below `root`."""
    manifest = {}
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            try:
                manifest[os.path.relpath(path, root)] = _entry(path)
            except FileNotFoundError:
                continue  # A server at work renames temporary files under our eyes.
    return manifest


def _entry(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        stat = os.fstat(file.fileno())
        while piece := file.read(1 << 20):
            digest.update(piece)
        xattrs = {name: os.getxattr(file.fileno(), name) for name in os.listxattr(file.fileno())}
        metadata = _metadata(file) if 'user.swift.metadata' in xattrs else None
    return {'bytes': stat.st_size, 'sha256': digest.hexdigest(), 'mode': oct(stat.st_mode & 0o7777),
            'xattrs': {name: value.hex() for name, value in xattrs.items()}, 'metadata': metadata}


def _metadata(file):
    # Only here, because importing Swift takes half a second.
    from swift.obj.diskfile import read_metadata
    try:
        return read_metadata(file)
    except Exception as error:  # Damaged metadata is a finding, not a failure of the look.
        return {'unreadable': f'{type(error).__name__}: {error}'}


def object_files(manifest):
    """The part of a manifest that is object files: no hashes, locks or temporary files."""
    return {path: entry for path, entry in manifest.items() if _OBJECT_FILE.match(path)}


def compare(expected, actual, ignore=lambda path: False, modes=True, garbled_text_ok=False):
    """Differences of two manifests' object files as lines of text; none means equal.

    Metadata is compared decoded, because the order inside a pickled dict may differ.
    `garbled_text_ok` forgives what a Swift before 2.32 does to non-ASCII values at each sync: it
    sends the UTF-8 form of what it should have sent as Latin-1.
    """
    expected, actual = object_files(expected), object_files(actual)
    lines = []
    for path in sorted(set(expected) | set(actual)):
        if ignore(path):
            continue
        if path not in actual:
            lines.append(f'{path}: missing')
        elif path not in expected:
            lines.append(f'{path}: unexpected')
        else:
            lines.extend(_differences(path, expected[path], actual[path], modes,
                                      garbled_text_ok))
    return lines


def _differences(path, expected, actual, modes, garbled_text_ok):
    for field in ('bytes', 'sha256') + (('mode',) if modes else ()):
        if expected[field] != actual[field]:
            yield f'{path}: {field} is {actual[field]}, expected {expected[field]}'
    wanted, found = expected['metadata'] or {}, actual['metadata'] or {}
    for name in sorted(set(wanted) | set(found), key=str):
        # The fragment index may be a number where the receiver filled it in.
        want, have = str(wanted.get(name)), str(found.get(name))
        if want == have or garbled_text_ok and have == _garbled(want):
            continue
        yield f'{path}: metadata {name} is {found.get(name)!r}, expected {wanted.get(name)!r}'


def _garbled(text):
    return text.encode('utf-8', 'surrogateescape').decode('latin-1')
