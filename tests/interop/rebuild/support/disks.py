"""Devices from the outside: kept and restored, single fragments lost, objects found."""

import collections
import os
import re
import shutil
import subprocess

DATA_FILE = re.compile(r'^(?P<data_dir>objects(?:-\d+)?)/(?P<partition>\d+)/[0-9a-f]{3}/'
                       r'(?P<hash>[0-9a-f]{32})/(?P<time>[^/#]+)#(?P<index>\d+)(?:#d)?\.data$')
Fragment = collections.namedtuple('Fragment', 'device path index')


def tmpfs_holds_xattrs(folder='/dev/shm'):
    """Whether devices may live in memory here: tmpfs knows user xattrs since Linux 6.6."""
    probe = os.path.join(folder, f'fragmend-probe-{os.getpid()}')
    try:
        with open(probe, 'w', encoding='ascii'):
            os.setxattr(probe, 'user.probe', b'1')
        return True
    except OSError:
        return False
    finally:
        if os.path.exists(probe):
            os.unlink(probe)


def manifests(lab, devices=None):
    """{device: manifest} of the given devices (default all)."""
    return {device: lab.snapshot(device) for device in devices or lab.layout.device_names}


def fragments_by_object(taken):
    """{(data directory, object hash): [Fragment, by index]} of all .data files of manifests."""
    objects = collections.defaultdict(list)
    for device, manifest in taken.items():
        for path in manifest:
            match = DATA_FILE.match(path)
            if match:
                objects[match['data_dir'], match['hash']].append(
                    Fragment(device, path, int(match['index'])))
    return {key: sorted(found, key=lambda fragment: fragment.index)
            for key, found in sorted(objects.items())}


def name_of(taken, fragment):
    """/account/container/object of a fragment."""
    return taken[fragment.device][fragment.path]['metadata']['name']


def forget_hashes(lab, device, path):
    """Makes the next look at the path's partition read the disk instead of the kept hashes."""
    partition = os.path.join(lab.device_path(device), *path.split('/')[:2])
    for name in ('hashes.pkl', 'hashes.invalid'):
        if os.path.exists(os.path.join(partition, name)):
            os.unlink(os.path.join(partition, name))


def forget_all_hashes(lab):
    """Makes all servers hash all suffixes anew."""
    for device in lab.layout.device_names:
        for path in lab.snapshot(device):
            if path.endswith('/hashes.pkl'):
                forget_hashes(lab, device, path)


def lose(lab, fragment):
    """Removes one object's files from one device, as a repaired file system might."""
    folder = os.path.join(lab.device_path(fragment.device), os.path.dirname(fragment.path))
    shutil.rmtree(folder)
    forget_hashes(lab, fragment.device, fragment.path)


class SavedDisks:
    """Copies of devices with all their xattrs and times, to go back to after some damage."""

    def __init__(self, lab, name='saved', devices=None):
        self._lab = lab
        self._folder = lab.layout.path('scratch-' + name)
        self._devices = list(devices or lab.layout.device_names)
        for device in self._devices:
            os.makedirs(self._kept(device))
            _copy(lab.device_path(device), self._kept(device))

    def _kept(self, device):
        return os.path.join(self._folder, device)

    def restore(self, devices=None):
        self._lab.wait_until_idle()
        for device in devices or self._devices:
            self._lab.wipe(device)
            _copy(self._kept(device), self._lab.device_path(device))


def _copy(source, target):
    subprocess.run(['cp', '-a', f'{source}/.', f'{target}/'], check=True)
