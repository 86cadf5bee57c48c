#!/usr/bin/python3
"""Writes objects below FOLDER/srv through Swift's own disk files: fill_disk.py FOLDER < JSON.

Each object: {device, partition, policy, name, events}; each event one of
    {op: put, at, bytes, index, durable, headers, corrupt}   corrupt: header, payload or md5
    {op: post, at, headers, content_type}
    {op: delete, at}
Partition 'own' is the one that the object's hash has in a ring of 2^4 partitions.
"""

import hashlib
import json
import os
import sys


def content(name, length):
    """Bytes that only this name has."""
    block = hashlib.sha512(name.encode()).digest()
    return (block * (length // len(block) + 1))[:length]


def main():
    root = sys.argv[1]
    import swift.common.utils as utils
    utils.SWIFT_CONF_FILE = os.path.join(root, 'swift.conf')
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b'', b''
    utils.validate_hash_conf()
    from swift.common.storage_policy import POLICIES, reload_storage_policies
    reload_storage_policies()
    from swift.common import storage_policy
    from swift.obj.diskfile import DiskFileRouter
    utils.fsync = lambda fd: None
    router = DiskFileRouter({'devices': os.path.join(root, 'srv'), 'mount_check': 'false'},
                            utils.get_logger({'log_address': '/nowhere'}))
    for planned in json.load(sys.stdin):
        policy = storage_policy.POLICIES[planned['policy']]
        write(router[policy], policy, planned)


def write(manager, policy, planned):
    from swift.common.utils import Timestamp, hash_path
    account, container, obj = planned['name'].split('/', 3)[1:]
    partition = planned['partition']
    if partition == 'own':
        partition = str(int(hash_path(account, container, obj)[0], 16))
    def disk_file(**options):
        return manager.get_diskfile(planned['device'], partition, account, container, obj, policy,
                                    **options)
    for event in planned['events']:
        at = Timestamp(event['at'])
        if event['op'] == 'delete':
            disk_file().delete(at)
        elif event['op'] == 'post':
            metadata = dict(event.get('headers', {}), **{'X-Timestamp': at.internal})
            if event.get('content_type'):
                metadata['Content-Type'] = event['content_type']
                metadata['Content-Type-Timestamp'] = event.get('content_type_at', at.internal)
            disk_file().write_metadata(metadata)
        else:
            put(disk_file, policy, planned['name'], event, at)


def archive(policy, body, index):
    if policy.policy_type == 'replication':
        return body
    segments = [body[i:i + policy.ec_segment_size]
                for i in range(0, len(body), policy.ec_segment_size)]
    return b''.join(policy.pyeclib_driver.encode(segment)[index] for segment in segments)


def put(disk_file, policy, name, event, at):
    index = event.get('index')
    body = content(name, event['bytes'])
    data = archive(policy, body, index)
    corrupt = event.get('corrupt')
    etag = hashlib.md5(data).hexdigest()
    if corrupt == 'header':
        data = b'\xff' * 20 + data[20:]
    elif corrupt == 'payload':
        data = data[:-1] + bytes([data[-1] ^ 1])
    metadata = {'X-Timestamp': at.internal, 'Content-Type': event.get('content_type', 'text/plain'),
                'Content-Length': str(len(data)),
                'ETag': etag if corrupt != 'md5' else '0' * 32}
    if index is not None:
        metadata.update({'X-Object-Sysmeta-Ec-Frag-Index': str(index),
                         'X-Object-Sysmeta-Ec-Etag': hashlib.md5(body).hexdigest(),
                         'X-Object-Sysmeta-Ec-Content-Length': str(len(body))})
    metadata.update(event.get('headers', {}))
    df = disk_file(frag_index=index) if index is not None else disk_file()
    with df.create() as writer:
        writer.write(data)
        writer.put(metadata)
        if event.get('durable', True):
            writer.commit(at)


if __name__ == '__main__':
    main()
