"""Writes odd configuration files and what the real Swift makes of them.

usage: conf_oracle.py DIRECTORY SEED COUNT

For each number N: readconf-N (file or directory) and readconf-N.json, swift-N.conf and
swift-N.json, options-N.conf and options-N.json. A refusal is {"error": text}.
"""
import json
import os
import random
import sys

try:
    import configparser
    from unittest import mock
    from swift.common import utils, storage_policy, constraints
    from swift.obj import reconstructor
except ImportError:
    sys.exit(77)

NAMES = ['a', 'B', 'node_timeout', 'log_name', 'x y', 'set user', 'devices', 'c.d']
VALUES = ['', '1', '4 ; x', '"quoted"', '1%', '50%%', 'a = b', 'a : b', '#no', 'x # y',
          'caf\u00e9', '\u00a0edge\u00a0', 'tab\tinside', '[brackets]', '\u2003wide\u3000', 'x\x1c',
          '%(known)s', '%(Known)s/%%/%(also)s', '%%(known)s', '%(known)s%%']
EXPANDING = ['%(a)s', '%(B)s', '%(nothing)s', '%(known)s 5%', '%()s', '%(a)', '%(c.d)s-%(known)s']
FINE_LINES = ['', '   ', '# comment', '  ; comment', '\t# comment', '[DEFAULT]', '\x0c',
              '[[nested]]', '[u] trailing']
BAD_LINES = ['no delimiter', '= no name', '[]', '\ufeff', ': x', '[s', '[s] trailing', '[s]']


def random_line(rng):
    draw = rng.random()
    if draw < 0.015:
        return rng.choice(BAD_LINES)
    if draw < 0.12:
        return rng.choice(FINE_LINES)
    if draw < 0.3:
        return rng.choice([' ', '  ', '\t', '\u00a0', '   ']) + rng.choice(VALUES)
    indent = rng.choice(['', '', '', '', ' ', '  '])
    delimiter = rng.choice(['=', ' = ', ': ', ':', ' =', '= '])
    return indent + rng.choice(NAMES) + str(rng.choice(['', '', 1, 2, 3, 4, 5, 6])) + \
        delimiter + rng.choice(VALUES if rng.random() < 0.8 else EXPANDING)


def random_text(rng):
    lines = [] if rng.random() < 0.3 else ['[DEFAULT]', 'KNOWN = value', 'also: %(known)s']
    sections = ['[s]'] * (rng.random() < 0.95)
    sections += rng.sample(['[t]', '[S]', '[ s ]'], rng.randint(0, 2))
    rng.shuffle(sections)
    for section in sections:
        lines.append(section)
        lines += [random_line(rng) for _ in range(rng.randint(0, 6))]
    return rng.choice(['\n', '\n', '\n', '\r\n', '\r']).join(lines) + rng.choice(['', '\n'])


def refused(error):
    return {'error': '%s: %s' % (type(error).__name__, error)}


def ask(function):
    try:
        return function()
    except (Exception, SystemExit) as error:
        return refused(error)


def write(path, text):
    with open(path, 'w', encoding='utf-8', newline='') as out:
        out.write(text)


def readconf_case(rng, path):
    if rng.random() < 0.2:
        os.mkdir(path)
        for name in rng.sample(['10.conf', '2.conf', '.hidden.conf', 'x.conf.bak', 'b.conf'], 3):
            write(os.path.join(path, name), random_text(rng))
    else:
        write(path, random_text(rng))

    def read():
        conf = utils.readconf(path, 's')
        del conf['__file__']
        if conf.get('log_name') == 's':
            del conf['log_name']
        return {'values': conf}
    return ask(read)


def policy_lines(rng, index):
    shown = rng.choice([index, index, index, '0%d' % index, ' %d' % index])
    lines = ['[storage-policy:%s]' % shown]
    lines.append('name = ' + rng.choice(['p%d' % index] * 6 + ['P0', 'a b', 'policy-0', '', 'ec']))
    if rng.random() < 0.3:
        lines.append('aliases = ' + rng.choice(['x%d' % index, 'x, X', 'p%d, y%d' % (index, index),
                                                ' , ', 'a_b', 'p0']))
    if rng.random() < (0.9 if index == 0 else 0.1):
        lines.append('default = ' + rng.choice(['yes', 'True', 'no', 't']))
    if rng.random() < 0.2:
        lines.append('Deprecated: ' + rng.choice(['yes', 'no', 'on', '']))
    if rng.random() < 0.6:
        lines.append('policy_type = erasure_coding')
        lines.append('ec_type = ' + rng.choice(['liberasurecode_rs_vand'] * 3 + [
            'isa_l_rs_cauchy', 'isa_l_rs_vand', 'jerasure_rs_vand', 'nonsense', '']))
        lines.append('ec_num_data_fragments = ' +
                     rng.choice(['4', '10', ' 6', '0', 'x', '+3', '1_0']))
        lines.append('ec_num_parity_fragments = ' + rng.choice(['2', '4', '5', '6', '-1', '']))
        if rng.random() < 0.3:
            lines.append('ec_object_segment_size = ' + rng.choice(['1048576', '0', '65536', '1e6']))
        if rng.random() < 0.3:
            lines.append('ec_duplication_factor = ' + rng.choice(['1', '2', '0', 'x']))
    elif rng.random() < 0.1:
        lines.append(rng.choice(['policy_type = other', 'policy_type = replication',
                                 'ec_type = isa_l_rs_cauchy', 'odd = 1', 'name = %']))
    return lines


def swift_conf_case(rng, path):
    lines = []
    if rng.random() < 0.05:
        lines += ['[DEFAULT]', rng.choice(['odd = 1', 'deprecated = no'])]
    lines += ['[swift-hash]']
    if rng.random() < 0.95:
        lines.append('swift_hash_path_suffix = ' + rng.choice(
            ['suf', 'caf\u00e9', '50%%', '50%', '\u00a0x\u00a0', '"q"', '', 'x\u0085', '\u00e0']))
    if rng.random() < 0.6:
        lines.append('Swift_Hash_Path_Prefix = ' +
                     rng.choice(['pre', 'a b', '%(name)s', '\u20ac', '']))
    for index in rng.sample(range(4), rng.randint(0, 3)) if rng.random() < 0.2 else \
            range(rng.randint(0, 3)):
        lines += policy_lines(rng, index)
    if rng.random() < 0.2:
        lines += ['[swift-constraints]',
                  'max_meta_count = ' + rng.choice(['10', 'x', '-5', ' 1_000 '])]
    write(path, '\n'.join(lines) + '\n')

    def read():
        utils.SWIFT_CONF_FILE = path
        utils.HASH_PATH_PREFIX = utils.HASH_PATH_SUFFIX = b''
        utils.validate_hash_conf()
        storage_policy.reload_storage_policies()
        constraints.reload_constraints()
        policies = []
        for policy in sorted(storage_policy.POLICIES, key=int):
            entry = {'index': int(policy), 'name': policy.name, 'aliases': policy.alias_list[1:],
                     'default': bool(policy.is_default), 'deprecated': policy.is_deprecated,
                     'type': policy.policy_type}
            if policy.policy_type == 'erasure_coding':
                entry.update(k=policy.ec_ndata, m=policy.ec_nparity, ec_type=policy.ec_type,
                             segment=policy.ec_segment_size, factor=policy.ec_duplication_factor)
            policies.append(entry)
        name = ('acc', 'con', 'obj\u00e9')
        return {'policies': policies, 'hash': utils.hash_path(*name),
                'max_meta_count': constraints.EFFECTIVE_CONSTRAINTS['max_meta_count']}
    return ask(read)


INTEGERS = ['1', '7', ' 30 ', '1_000', '+5', '60.0', 'x', '', '4 ; x']
FLOATS = ['1', '0.25', '1e1', ' 5. ', 'x', '', '1_0.5']
BOOLEANS = ['true', 'On', 'T', '1', 'no', 'maybe', '']
OPTIONS = {
    'devices': ['/srv/node', 'x'], 'mount_check': BOOLEANS, 'swift_dir': ['/etc/swift'],
    'bind_ip': ['0.0.0.0', '10.0.0.1'], 'ring_ip': ['10.0.0.2'], 'bind_port': ['6200', '6010', 'x'],
    'servers_per_port': ['0', '3', '', 'x'], 'concurrency': INTEGERS,
    'reconstructor_workers': INTEGERS + ['-1'], 'stats_interval': FLOATS, 'interval': FLOATS,
    'run_pause': FLOATS, 'ring_check_interval': FLOATS, 'http_timeout': INTEGERS,
    'lockup_timeout': INTEGERS, 'conn_timeout': FLOATS, 'node_timeout': FLOATS,
    'network_chunk_size': INTEGERS, 'disk_chunk_size': INTEGERS, 'recon_cache_path': ['/x'],
    'handoffs_first': BOOLEANS, 'handoffs_only': BOOLEANS,
    'rebuild_handoff_node_count': INTEGERS + ['-1'], 'quarantine_age': INTEGERS,
    'quarantine_threshold': INTEGERS + ['-1', '0'], 'reclaim_age': INTEGERS,
    'request_node_count': ['3', '2 * replicas', '1 * Replicas', '2*replicas', '2 *', '',
                           'x * replicas', '4  *  replicas'],
    'max_objects_per_revert': INTEGERS + ['-1'], 'write_legacy_ec_crc': BOOLEANS,
    'commit_window': FLOATS + ['-1'], 'keep_cache_size': INTEGERS, 'mb_per_sync': INTEGERS,
    'replication_concurrency_per_device': INTEGERS, 'replication_one_per_device': BOOLEANS,
    'replication_lock_timeout': INTEGERS, 'log_level': ['DEBUG', 'warn', 'NOTICE', 'odd', 'Error'],
    'log_facility': ['LOG_LOCAL3', 'LOG_DAEMON', 'odd', 'log_local3'],
    'log_max_line_length': INTEGERS, 'log_name': ['n'], 'unknown_option': ['x', '5%'],
    'fallocate_reserve': ['1%', '5', '2.5%', '2.5', 'x', '', '%', '0'],
}


def options_case(rng, path):
    lines = []
    drawn = rng.sample(sorted(OPTIONS), rng.randint(0, 6))
    for section in ('[DEFAULT]', '[object-reconstructor]'):
        lines.append(section)
        lines += ['%s = %s' % (name, rng.choice(OPTIONS[name])) for name in drawn
                  if rng.random() < 0.6]
    write(path, '\n'.join(lines) + '\n')
    return ask(lambda: read_options(path))


def read_options(path):
    os.environ.pop('LIBERASURECODE_WRITE_LEGACY_CRC', None)
    conf = utils.readconf(path, 'object-reconstructor')
    warnings = []

    class Log(object):
        def warning(self, text, *args):
            if text not in warnings:
                warnings.append(text)

        def __getattr__(self, name):
            return lambda *args, **kwargs: None
    kind = reconstructor.ObjectReconstructor
    with mock.patch.object(kind, 'get_local_devices', lambda self: set()), \
            mock.patch.object(reconstructor, 'PrefixLoggerAdapter', lambda logger, extra: logger):
        daemon = reconstructor.ObjectReconstructor(conf, logger=Log())
    logger = utils.get_logger(conf, log_route=path)
    reserve, percent = utils.config_fallocate_value(conf.get('fallocate_reserve', '1%'))
    manager = daemon._df_router[0]
    return {
        'devices': daemon.devices_dir, 'mount_check': daemon.mount_check,
        'swift_dir': daemon.swift_dir, 'ring_ip': daemon.ring_ip, 'port': daemon.port,
        'concurrency': daemon.concurrency, 'workers': daemon.reconstructor_workers,
        'interval': daemon.interval, 'stats_interval': daemon.stats_interval,
        'ring_check_interval': daemon.ring_check_interval, 'http_timeout': daemon.http_timeout,
        'lockup_timeout': daemon.lockup_timeout, 'conn_timeout': daemon.conn_timeout,
        'node_timeout': daemon.node_timeout, 'network_chunk': daemon.network_chunk_size,
        'disk_chunk': daemon.disk_chunk_size, 'rcache': daemon.rcache,
        'handoffs_only': daemon.handoffs_only, 'handoff_count': daemon.rebuild_handoff_node_count,
        'quarantine_threshold': daemon.quarantine_threshold,
        'quarantine_age': daemon.quarantine_age, 'request_nodes': daemon.request_node_count(6),
        'max_objects': daemon.max_objects_per_revert,
        'legacy_crc': os.environ.get('LIBERASURECODE_WRITE_LEGACY_CRC'),
        'reclaim_age': manager.reclaim_age, 'commit_window': manager.commit_window,
        'keep_cache': manager.keep_cache_size, 'bytes_per_sync': manager.bytes_per_sync,
        'device_locks': manager.replication_concurrency_per_device,
        'lock_timeout': manager.replication_lock_timeout,
        'reserve': float(reserve), 'reserve_is_percent': percent,
        'log_level': logger.logger.level, 'log_name': logger.server,
        'log_facility': utils.get_logger.handler4logger[logger.logger].facility,
        'line_length': utils.get_logger.handler4logger[logger.logger].formatter.max_line_length,
        'warnings': warnings,
    }


def main(directory, seed, count):
    rng = random.Random(seed)
    storage_policy._POLICIES = storage_policy.StoragePolicyCollection([])
    for number in range(count):
        cases = [('options-%d.conf' % number, options_case),
                 ('readconf-%d' % number, readconf_case),
                 ('swift-%d.conf' % number, swift_conf_case)]
        for name, case in cases:
            path = os.path.join(directory, name)
            saved = storage_policy._POLICIES
            answer = case(rng, path)
            storage_policy._POLICIES = saved
            with open(path.replace('.conf', '') + '.json', 'w') as out:
                json.dump(answer, out)
    with open(os.path.join(directory, 'addresses.json'), 'w') as out:
        json.dump({ip: sorted(utils.whataremyips(ip)) for ip in
                   ('', '0.0.0.0', '::', '0', '10.0.0.1', '::1', 'FD00:0::1', 'a.example')}, out)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
