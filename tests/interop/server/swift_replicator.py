#!/usr/bin/python3
"""One pass of Swift's object-replicator over SSYNC: swift_replicator.py ROOT PORT.

Device sda below ROOT/srv is local, sdb is behind the server at PORT, and each has every partition.
Prints the counts of the pass as a dict."""

import os
import sys


def main():
    root, port = sys.argv[1], int(sys.argv[2])
    import eventlet
    eventlet.monkey_patch()
    import swift.common.utils as utils
    utils.SWIFT_CONF_FILE = os.path.join(root, 'swift.conf')
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b'', b''
    utils.validate_hash_conf()
    from swift.common.ring import RingBuilder
    from swift.common.storage_policy import reload_storage_policies
    reload_storage_policies()
    from swift.obj.replicator import ObjectReplicator
    local_port = 1
    builder = RingBuilder(4, 2, 1)
    for number, (device, at) in enumerate((('sda', local_port), ('sdb', port))):
        builder.add_dev({'id': number, 'region': 1, 'zone': number, 'weight': 1, 'device': device,
                         'ip': '127.0.0.1', 'port': at, 'replication_ip': '127.0.0.1',
                         'replication_port': at})
    builder.rebalance()
    builder.get_ring().save(os.path.join(root, 'object.ring.gz'))
    replicator = ObjectReplicator(
        {'devices': os.path.join(root, 'srv'), 'mount_check': 'false', 'swift_dir': root,
         'bind_ip': '127.0.0.1', 'bind_port': str(local_port), 'sync_method': 'ssync',
         'recon_cache_path': root, 'conn_timeout': '10', 'log_address': '/nowhere'},
        logger=utils.get_logger({'log_address': '/nowhere'}))
    replicator.run_once()
    stats = replicator.total_stats
    print({key: getattr(stats, key) for key in ('attempted', 'failure', 'success', 'suffix_sync',
                                                'hashmatch')})


if __name__ == '__main__':
    main()
