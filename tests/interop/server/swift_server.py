#!/usr/bin/python3
"""Swift's object server for one test: swift_server.py SWIFT_CONF CONF. Prints where it listens."""

import configparser
import sys


def main():
    import eventlet
    eventlet.monkey_patch()
    import swift.common.utils as utils
    utils.SWIFT_CONF_FILE = sys.argv[1]
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b'', b''
    utils.validate_hash_conf()
    import eventlet.wsgi
    from swift.common import wsgi
    from swift.obj.server import ObjectController
    from swift.common.storage_policy import reload_storage_policies
    reload_storage_policies()
    parser = configparser.RawConfigParser()
    parser.read(sys.argv[2])
    conf = dict(parser.items('app:object-server'))
    reserve, is_percent = utils.config_fallocate_value(conf.get('fallocate_reserve', '1%'))
    utils.FALLOCATE_RESERVE, utils.FALLOCATE_IS_PERCENT = reserve, is_percent
    utils.disable_fallocate() if utils.config_true_value(conf.get('disable_fallocate')) else None
    if conf.get('replication_concurrency'):
        import multiprocessing
        limit = int(conf['replication_concurrency'])
        if limit:
            conf['replication_semaphore'] = [multiprocessing.BoundedSemaphore(limit)]
    app = ObjectController(conf)
    listener = eventlet.listen(('127.0.0.1', 0))
    sys.stderr.write(f'Listening at 127.0.0.1:{listener.getsockname()[1]}\n')
    sys.stderr.flush()
    eventlet.wsgi.server(listener, app, utils.NullLogger(), protocol=wsgi.SwiftHttpProtocol,
                         socket_timeout=float(conf.get('client_timeout', 60)))


if __name__ == '__main__':
    main()
