"""Writes objects straight to a lab's devices with Swift's own disk file code, as its servers would.

Runs inside the lab: python3 -m swiftlab.fill_fast DIRECTORY JOB RESULT, where JOB is a JSON list of
histories (object_plan) and RESULT receives {"etags": [...], "bytes_written": N}. Nothing is synced
to the disk, since a lab does not outlive its machine; that makes it hundreds of times faster.
"""

import hashlib
import json
import os
import sys

from eventlet import tpool
from swift.common.ring import Ring
from swift.common.storage_policy import POLICIES
from swift.common.utils import Timestamp, get_logger, validate_hash_conf
from swift.obj.diskfile import DiskFileRouter

from . import layout, object_plan, spec


class FastFill:
    """Writes histories. Keeps one ring a policy and one disk file router a node."""

    def __init__(self, place):
        self._place = place
        self._logger = get_logger({'log_name': 'fill-fast', 'log_level': 'WARNING',
                                   'log_udp_host': layout.LOG_IP,
                                   'log_udp_port': layout.LOG_PORT_BASE})
        self._rings = {}
        self._routers = {}
        self.bytes_written = 0

    def write(self, history):
        """Writes one object's history; returns the etag of its last PUT."""
        policy = POLICIES.get_by_index(history['policy'])
        partition, nodes = self._ring(policy).get_nodes(
            history['account'], history['container'], history['name'])
        etag = None
        for event in history['events']:
            devices = self._devices(policy, nodes, event)
            if event['op'] == 'put':
                etag = self._put(policy, partition, devices, history, event)
                continue
            for _index, device in devices:
                disk_file = self._disk_file(policy, partition, device, history)
                if event['op'] == 'post':
                    self._post(disk_file, event)
                else:
                    disk_file.delete(Timestamp(event['at']))
        return etag

    def _ring(self, policy):
        if policy.idx not in self._rings:
            self._rings[policy.idx] = Ring('/etc/swift', ring_name=policy.ring_name)
        return self._rings[policy.idx]

    @staticmethod
    def _devices(policy, nodes, event):
        """(fragment index or None, device name) pairs that see this event."""
        pairs = []
        for number, node in enumerate(nodes):
            index = policy.get_backend_index(number)
            if event.get('indexes') is not None and index not in event['indexes']:
                continue
            pairs.append((index, (event.get('place') or {}).get(str(index), node['device'])))
        return pairs

    def _disk_file(self, policy, partition, device, history, **more):
        node = self._place.node_of(device)
        if node.number not in self._routers:
            self._routers[node.number] = DiskFileRouter(
                {'devices': self._place.path('srv', str(node.number)), 'mount_check': 'false'},
                self._logger)
        return self._routers[node.number][policy].get_diskfile(
            device, partition, history['account'], history['container'], history['name'],
            policy=policy, **more)

    def _put(self, policy, partition, devices, history, event):
        body = object_plan.content(object_plan.content_key(history, event), event['bytes'])
        etag = hashlib.md5(body).hexdigest()
        archives = _fragment_archives(policy, body)
        for index, device in devices:
            archive = archives[index] if archives else body
            metadata = _data_metadata(policy, event, archive, etag, len(body), index)
            timestamp = Timestamp(event['at'])
            disk_file = self._disk_file(policy, partition, device, history)
            with disk_file.create(size=len(archive)) as writer:
                writer.write(archive)
                writer.put(metadata)
                if event.get('durable', True) is True:
                    writer.commit(timestamp)
            if event.get('durable') == 'legacy':
                marker = os.path.join(disk_file._datadir, f'{timestamp.internal}.durable')
                with open(marker, 'wb'):
                    pass
            self.bytes_written += len(archive)
        return etag

    @staticmethod
    def _post(disk_file, event):
        metadata = {'X-Timestamp': Timestamp(event['at']).internal}
        metadata.update(_user_metadata(event))
        if event.get('content_type'):
            metadata['Content-Type'] = event['content_type']
            metadata['Content-Type-Timestamp'] = Timestamp(
                event.get('content_type_at', event['at'])).internal
        disk_file.write_metadata(metadata)


def _fragment_archives(policy, body):
    """One archive a fragment index, or None for a replication policy."""
    if not hasattr(policy, 'pyeclib_driver'):
        return None
    archives = [[] for _ in range(policy.ec_n_unique_fragments)]
    for start in range(0, len(body), policy.ec_segment_size):
        segment = body[start:start + policy.ec_segment_size]
        for archive, fragment in zip(archives, policy.pyeclib_driver.encode(segment)):
            archive.append(fragment)
    return [b''.join(archive) for archive in archives]


def _data_metadata(policy, event, archive, etag, object_bytes, index):
    metadata = {'X-Timestamp': Timestamp(event['at']).internal,
                'Content-Type': event.get('content_type', 'application/octet-stream'),
                'Content-Length': str(len(archive)),
                'ETag': hashlib.md5(archive).hexdigest()}
    metadata.update(_user_metadata(event))
    if index is not None:
        metadata.update({'X-Object-Sysmeta-Ec-Frag-Index': str(index),
                         'X-Object-Sysmeta-Ec-Etag': etag,
                         'X-Object-Sysmeta-Ec-Content-Length': str(object_bytes),
                         'X-Object-Sysmeta-Ec-Scheme': policy.ec_scheme_description,
                         'X-Object-Sysmeta-Ec-Segment-Size': str(policy.ec_segment_size)})
    return metadata


def _user_metadata(event):
    headers = {f'X-Object-Meta-{name}'.title(): _header_text(value)
               for name, value in (event.get('meta') or {}).items()}
    headers.update({name.title(): _header_text(value)
                    for name, value in (event.get('headers') or {}).items()})
    if event.get('delete_at'):
        headers['X-Delete-At'] = str(event['delete_at'])
    return headers


def _header_text(value):
    # Swift keeps header values as WSGI text: one character a byte of the UTF-8 form.
    return value.encode('utf-8').decode('latin-1')


def _without_ceremony():
    """Drops what only matters to a server: syncing, and threads beside an event loop."""
    os.fsync = os.fdatasync = lambda _fd: None
    tpool.execute = lambda function, *args, **kwargs: function(*args, **kwargs)


def main():
    directory, job_path, result_path = sys.argv[1:]
    with open(os.path.join(directory, 'lab.json'), encoding='utf-8') as state_file:
        place = layout.Layout(directory, spec.LabSpec.from_dict(json.load(state_file)['spec']))
    with open(job_path, encoding='utf-8') as job_file:
        job = json.load(job_file)
    os.umask(0o22)
    validate_hash_conf()
    _without_ceremony()
    fill = FastFill(place)
    etags = [fill.write(history) for history in job]
    with open(result_path, 'w', encoding='utf-8') as out:
        json.dump({'etags': etags, 'bytes_written': fill.bytes_written}, out)


if __name__ == '__main__':
    main()
