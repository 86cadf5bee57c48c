"""What is on the devices after a run, by row, and how two runs differ."""

import collections
import os
import re
import subprocess

from lab import compare
from swiftlab import snapshots

HASH_FILES = {'hashes.pkl', 'hashes.invalid', '.lock', '.lock-replication'}
RANDOM_TAIL = re.compile(r'-[0-9a-f]{32}$')
REQUEST = re.compile(r'"(PUT|POST|DELETE|SSYNC|REPLICATE) /(\S+)" (\d+)')


class State:
    """Everything of one row: files with bytes and metadata, folders, and what was quarantined."""

    def __init__(self):
        self.files = collections.defaultdict(dict)  # device -> path -> entry
        self.folders = set()                        # (device, path) that hold no files of Swift's
        self.quarantined = set()                    # (device, name of what was moved)
        self.bare = set()                           # folders of empty partitions on primaries
        self.requests = set()                       # (verb, path, status)
        self.look = None                            # of all devices

    def names(self, ending=''):
        """(device, file name) of all object files."""
        return sorted((device, os.path.basename(path)) for device, manifest in self.files.items()
                      for path in manifest
                      if path.endswith(ending) and os.path.basename(path) not in HASH_FILES)

    def received(self, device, partition):
        """Whether the device's server stored a fragment of the row.

        A server that is asked for hashes between the two halves of a PUT keeps the hash of the
        first: committing does not invalidate the suffix. That is its own affair.
        """
        return any(verb == 'PUT' and path.startswith(f'{device}/{partition}/')
                   for verb, path, _status in self.requests)

    def on(self, device, ending=''):
        return [name for holder, name in self.names(ending) if holder == device]


class Look:
    """One look at all devices of a lab."""

    def __init__(self, lab):
        self.manifests = {device: snapshots.take(lab.device_path(device))
                          for device in lab.layout.device_names}
        self.folders = {device: set(_folders(lab.device_path(device)))
                        for device in lab.layout.device_names}

    def of(self, scene, requests=()):
        state = State()
        state.look = self
        prefix = f'{scene.data_dir}/{scene.place.partition}'
        hashes = {made.hash for made in scene.objects}
        for device, manifest in self.manifests.items():
            for path, entry in manifest.items():
                if path == prefix or path.startswith(prefix + '/'):
                    state.files[device][path] = entry
            state.folders |= {(device, path) for path in self.folders[device]
                              if path == prefix or path.startswith(prefix + '/')}
            names = {RANDOM_TAIL.sub('', path.split('/')[2]) for path in
                     [*manifest, *self.folders[device]]
                     if path.startswith('quarantined/') and path.count('/') >= 2}
            state.quarantined |= {(device, name) for name in names & hashes}
        primaries = {device for part, device in scene.place.devices.items() if part[0] == 'p'}
        state.bare = {(device, prefix) for device in primaries
                      if (device, prefix) in state.folders and not any(
                          path.startswith(prefix + '/') for path in self.folders[device])}
        partition = f'/{scene.place.partition}'
        for verb, path, status, policy in requests:
            device, rest = path.split('/', 1)
            if policy == scene.place.policy.index and (rest + '/').startswith(partition[1:] + '/'):
                state.requests.add((verb, path, status))
        return state


def _folders(root):
    """Paths of all folders of partitions, suffixes and objects."""
    for folder, folders, _names in os.walk(root):
        for name in folders:
            yield os.path.relpath(os.path.join(folder, name), root)


def differences(swift, fragmend):
    """What is not the same after Fragmend as after Swift, as lines of text."""
    lines = []
    for device in sorted(set(swift.files) | set(fragmend.files)):
        theirs, ours = swift.files.get(device, {}), fragmend.files.get(device, {})
        # The lab's compare looks at object files only; the others are compared by name and bytes.
        lines += [f'{device}: {line}' for line in compare(theirs, ours)]
        other_theirs, other_ours = _others(theirs), _others(ours)
        for path in sorted(set(other_theirs) | set(other_ours)):
            if other_theirs.get(path) != other_ours.get(path):
                lines.append(f'{device}: {path}: {other_ours.get(path)}, expected '
                             f'{other_theirs.get(path)}')
    # Partners take turns here, so another primary may be the first to be visited for nothing.
    lines += [f'{device}: folder {path} is left over'
              for device, path in sorted(fragmend.folders - swift.folders
                                         - (fragmend.bare if swift.bare else set()))]
    lines += [f'{device}: folder {path} is missing'
              for device, path in sorted(swift.folders - fragmend.folders - swift.bare)]
    if swift.quarantined != fragmend.quarantined:
        lines.append(f'quarantined {sorted(fragmend.quarantined)}, expected '
                     f'{sorted(swift.quarantined)}')
    return lines


def request_differences(swift, fragmend, sessions):
    """Sub-requests and, if asked for, SSYNC sessions, as the servers logged them; no order.

    Sessions are comparable where only reverts ran: a SYNC job that comes after another one of the
    same pass has nothing to say any more, and the order is drawn by chance.
    """
    keep = {'PUT', 'POST', 'DELETE'} | ({'SSYNC'} if sessions else set())
    theirs = {request for request in swift.requests if request[0] in keep}
    ours = {request for request in fragmend.requests if request[0] in keep}
    return ([f'request too many: {request}' for request in sorted(ours - theirs)]
            + [f'request missing: {request}' for request in sorted(theirs - ours)])


def _others(manifest):
    known = snapshots.object_files(manifest)
    return {path: (entry['bytes'], entry['sha256']) for path, entry in manifest.items()
            if path not in known and os.path.basename(path) not in HASH_FILES}


def logged_requests(text):
    """(verb, path without the leading slash, status, policy index) of a server's access lines."""
    for line in text.splitlines():
        match = REQUEST.search(line)
        if match:
            policy = line.rsplit(' ', 1)[-1]
            yield (match[1], match[2], int(match[3]), int(policy) if policy.isdigit() else None)


HASH_CHECK = r'''
import json, os, sys
from swift.common.storage_policy import POLICIES
from swift.common.utils import get_logger, validate_hash_conf
from swift.obj.diskfile import DiskFileRouter, consolidate_hashes
validate_hash_conf()
logger = get_logger({'log_udp_host': '127.0.0.254', 'log_udp_port': '5140'})
stale = []
for root, device in json.load(sys.stdin):
    router = DiskFileRouter({'devices': root, 'mount_check': 'false'}, logger)
    for policy in POLICIES:
        data_dir = os.path.join(root, device, 'objects' + ('-%d' % policy.idx if policy.idx else ''))
        if policy.policy_type != 'erasure_coding' or not os.path.isdir(data_dir):
            continue
        for partition in sorted(os.listdir(data_dir)):
            folder = os.path.join(data_dir, partition)
            if not partition.isdigit() or not os.path.isfile(folder + '/hashes.pkl'):
                continue
            kept = {suffix: hashes for suffix, hashes in consolidate_hashes(folder).items()
                    if suffix not in ('valid', 'updated') and hashes}
            _count, fresh = router[policy]._get_hashes(device, partition, policy, do_listdir=True,
                                                       recalculate=list(kept))
            stale += [[device, policy.idx, int(partition), suffix] for suffix in kept
                      if kept[suffix] != fresh.get(suffix)]
print('STALE ' + json.dumps(stale))
'''


def stale_suffixes(lab):
    """Suffixes whose kept hash says something else than their files, by Swift's own reading.

    Hashes again, so it is the last look at a state.
    """
    import json
    roots = [[os.path.dirname(lab.layout.mount_point(device)), device]
             for device in lab.layout.device_names]
    done = subprocess.run(lab.inside(['/usr/bin/python3', '-W', 'ignore', '-c', HASH_CHECK]),
                          input=json.dumps(roots), capture_output=True, text=True, timeout=120)
    for line in done.stdout.splitlines():
        if line.startswith('STALE '):
            return {tuple(entry) for entry in json.loads(line[6:])}
    raise RuntimeError(f'the hashes could not be checked: {done.stderr[-2000:]}')
