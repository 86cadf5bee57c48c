"""Writes swift.conf and the configuration of every server of a lab."""

import os

from . import layout as places


def write_reconstructor_conf(layout, node, tag, options):
    """Writes a variant of a node's file with other reconstructor options; its path inside."""
    sections = _replication_conf(layout, node)
    sections['object-reconstructor'].update(options)
    name = f'reconstructor-{tag}/{node.number}.conf'
    _write(layout, name, sections)
    return f'/etc/swift/{name}'


def write_all(layout):
    """Writes all configuration files below the folder that becomes /etc/swift in the lab."""
    files = {'swift.conf': _swift_conf(layout.spec)}
    for node in layout.nodes:
        files[f'object-server/{node.number}.conf'] = _object_server_conf(layout, node)
        if node.has_replication_server:
            files[f'object-server/{node.number}-replication.conf'] = _replication_conf(layout, node)
    if layout.spec.proxy:
        files['proxy-server.conf'] = _proxy_conf(layout)
        files['account-server.conf'] = _db_server_conf(layout, 'account', places.ACCOUNT_ADDRESS)
        files['container-server.conf'] = _db_server_conf(layout, 'container',
                                                         places.CONTAINER_ADDRESS)
    for name, sections in files.items():
        _write(layout, name, sections)


def _write(layout, name, sections):
    path = layout.path('etc', name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Swift reads swift.conf as Latin-1, so a hash prefix may hold any byte.
    with open(path, 'w', encoding='latin-1') as out:
        out.write(_ini(sections))


def _ini(sections):
    blocks = []
    for section, options in sections.items():
        lines = [f'[{section}]'] + [f'{name} = {value}' for name, value in options.items()]
        blocks.append('\n'.join(lines) + '\n')
    return '\n'.join(blocks)


def _swift_conf(spec):
    sections = {'swift-hash': {
        # This section is read with % interpolation.
        'swift_hash_path_prefix': spec.hash_prefix.replace('%', '%%'),
        'swift_hash_path_suffix': spec.hash_suffix.replace('%', '%%')}}
    for policy in spec.policies:
        options = {'name': policy.name, 'default': 'yes' if policy.default else 'no'}
        if policy.ec_type:
            options.update({'policy_type': 'erasure_coding',
                            'ec_type': policy.ec_type,
                            'ec_num_data_fragments': policy.k,
                            'ec_num_parity_fragments': policy.m,
                            'ec_object_segment_size': policy.segment_bytes})
            if policy.duplication != 1:
                options['ec_duplication_factor'] = policy.duplication
        sections[f'storage-policy:{policy.index}'] = options
    return sections


def _common(layout, ip, port, log_port, devices):
    return {'bind_ip': ip, 'bind_port': port,
            'user': 'root',
            'devices': devices,
            'workers': layout.spec.workers,
            # A nearly full disk under the lab must not look like a full Swift device.
            'fallocate_reserve': 0,
            'log_level': layout.spec.log_level,
            'log_udp_host': places.LOG_IP, 'log_udp_port': log_port}


def _object_server_conf(layout, node):
    spec = layout.spec
    default = _common(layout, node.bind_ip, node.port, node.log_port,
                      layout.path('srv', str(node.number)))
    default['mount_check'] = 'true' if spec.mount_check else 'false'
    default['recon_cache_path'] = layout.path('cache', str(node.number))
    if node.ring_ip != node.bind_ip:
        default['ring_ip'] = node.ring_ip
    sections = {
        'DEFAULT': default,
        'pipeline:main': {'pipeline': 'healthcheck recon object-server'},
        'app:object-server': {
            'use': 'egg:swift#object',
            # Forked workers, which every real cluster has, do not enforce this limit; without
            # them (workers = 0) it would, and answer whole bursts of SSYNC with 503.
            'replication_concurrency': 0,
            'replication_concurrency_per_device': spec.replication_concurrency_per_device},
        'filter:healthcheck': {'use': 'egg:swift#healthcheck'},
        'filter:recon': {'use': 'egg:swift#recon'},
        # Half a second to connect (Swift's default) fails by chance when servers, daemons and
        # tests share few cores.
        'object-reconstructor': {'conn_timeout': 5},
        'object-replicator': {},
        'object-updater': {},
        # No pauses between files, and one pass instead of a second process for empty files.
        'object-auditor': {'files_per_second': 0, 'bytes_per_second': 0,
                           'zero_byte_files_per_second': 0},
    }
    for section, options in spec.object_conf.items():
        prefix = 'set ' if section == 'app:object-server' else ''
        target = sections.setdefault(section, {})
        for name, value in options.items():
            target.pop(name, None)
            target[prefix + name] = value
    return sections


def _replication_conf(layout, node):
    """The same for the node's replication side: what its daemons and that server read."""
    sections = _object_server_conf(layout, node)
    sections['DEFAULT']['bind_port'] = node.replication_port
    return sections


def _db_server_conf(layout, kind, address):
    default = _common(layout, *address, places.LOG_PORT_BASE, layout.path('srv', 'db'))
    default['mount_check'] = 'false'
    return {'DEFAULT': default,
            'pipeline:main': {'pipeline': f'{kind}-server'},
            f'app:{kind}-server': {'use': f'egg:swift#{kind}'}}


def _proxy_conf(layout):
    default = _common(layout, *places.PROXY_ADDRESS, places.LOG_PORT_BASE, layout.path('srv', 'db'))
    del default['devices']
    app = {'use': 'egg:swift#proxy', 'account_autocreate': 'true',
           'allow_account_management': 'true',
           'conn_timeout': 5, 'node_timeout': 30, 'recoverable_node_timeout': 30,
           # A server that a test broke for a moment must not be shunned for a minute.
           'error_suppression_limit': 1000000}
    app.update({f'set {name}': value for name, value in layout.spec.proxy_conf.items()})
    return {'DEFAULT': default,
            'pipeline:main': {'pipeline': 'catch_errors gatekeeper proxy-server'},
            'app:proxy-server': app,
            'filter:catch_errors': {'use': 'egg:swift#catch_errors'},
            # Objects may be given a time of their own, for tests of old and expired ones.
            'filter:gatekeeper': {'use': 'egg:swift#gatekeeper',
                                  'shunt_inbound_x_timestamp': 'false'}}
