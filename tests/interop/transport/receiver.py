#!/usr/bin/python3
"""A real Swift object server on loopback for one test, without a cluster around it.

First line out: JSON with the port and one real fragment archive. Then each line in is answered by
one JSON line that tells what is on the disk; end of input ends it. Exits with 77 without Swift.
"""
import json
import os
import shutil
import sys
import tempfile

SWIFT_CONF = '''[swift-hash]
swift_hash_path_suffix = interop
[storage-policy:0]
name = plain
default = yes
[storage-policy:1]
name = coded
policy_type = erasure_coding
ec_type = liberasurecode_rs_vand
ec_num_data_fragments = 2
ec_num_parity_fragments = 1
'''


def main():
    try:
        import eventlet
        import swift.common.utils as utils
    except ImportError:
        return 77
    root = tempfile.mkdtemp(prefix='fragmend-receiver-')
    try:
        os.mkdir(os.path.join(root, 'sdb'))
        utils.SWIFT_CONF_FILE = os.path.join(root, 'swift.conf')
        with open(utils.SWIFT_CONF_FILE, 'w') as conf:
            conf.write(SWIFT_CONF)
        return serve(eventlet, utils, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def serve(eventlet, utils, root):
    eventlet.monkey_patch()
    import eventlet.wsgi
    from swift.common.storage_policy import POLICIES
    from swift.common.utils import NullLogger
    from swift.common.wsgi import SwiftHttpProtocol
    from swift.obj.server import ObjectController
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b'', b'interop'
    app = ObjectController({'devices': root, 'mount_check': 'false', 'disable_fallocate': 'true',
                            'log_address': os.path.join(root, 'none'), 'workers': '0'})
    listener = eventlet.listen(('127.0.0.1', 0))
    eventlet.spawn(eventlet.wsgi.server, listener, app, NullLogger(), protocol=SwiftHttpProtocol)
    fragment = POLICIES[1].pyeclib_driver.encode(b'fragmend' * 1000)[2]
    say({'port': listener.getsockname()[1], 'fragment': fragment.hex()})
    lines = eventlet.tpool.execute
    while lines(sys.stdin.readline):
        say(disk(app, POLICIES[1]))
    return 0


def say(what):
    sys.stdout.write(json.dumps(what) + '\n')
    sys.stdout.flush()


def disk(app, policy):
    """Every object of partition 1 by its path, as the object server's own code reads it."""
    from swift.common import exceptions
    manager = app._diskfile_router[policy]
    found = {}
    datadir = os.path.join(manager.devices, 'sdb', 'objects-1', '1')
    for suffix in sorted(os.listdir(datadir)):
        if len(suffix) != 3:
            continue
        for hash_ in sorted(os.listdir(os.path.join(datadir, suffix))):
            names = sorted(os.listdir(os.path.join(datadir, suffix, hash_)))
            one = {'files': names}
            try:
                df = manager.get_diskfile_from_hash('sdb', '1', hash_, policy, frag_prefs=[],
                                                    open_expired=True)
                with df.open():
                    one['metadata'] = df.get_metadata()
                    one['data_metadata'] = df.get_datafile_metadata()
                    one['body'] = b''.join(df.reader()).hex()
            except exceptions.DiskFileNotExist as err:
                one['missing'] = type(err).__name__
            found[hash_] = one
    return found


if __name__ == '__main__':
    sys.exit(main())
