"""Builds the rings of a lab with Swift's own ring builder, the same for the same seed."""

import random

from . import layout as places


def build_all(layout):
    """Writes one object ring a policy and, when there is a proxy, the account and container rings.

    Takes Swift's modules in only here, because importing them reads /etc/swift/swift.conf.
    """
    for policy in layout.spec.policies:
        build(layout, f'object{policy.suffix}', policy.ring_replicas, object_devices(layout))
    if layout.spec.proxy:
        for kind, address in (('account', places.ACCOUNT_ADDRESS),
                              ('container', places.CONTAINER_ADDRESS)):
            build(layout, kind, 1, [_device(0, *address, 'db1')])


def object_devices(layout):
    """The ring's devices: id counts with the name, one zone a server."""
    return [_device(number, layout.node_of(name).ring_ip, layout.node_of(name).port, name)
            | {'zone': layout.node_of(name).number,
               'replication_port': layout.node_of(name).replication_port}
            for number, name in enumerate(layout.device_names)]


def build(layout, name, replicas, devices):
    """Builds and saves <name>.ring.gz and its builder file; returns the builder."""
    from swift.common.ring import RingBuilder
    builder = RingBuilder(layout.spec.part_power, min(replicas, len(devices)), 0)
    for device in devices:
        builder.add_dev(dict(device))
    builder.rebalance(seed=str(layout.spec.seed))
    if len(devices) > 1:
        _mix(builder, layout.spec.seed)
    builder.save(layout.path('etc', f'{name}.builder'))
    builder.get_ring().save(layout.path('etc', f'{name}.ring.gz'))
    return builder


def _mix(builder, seed):
    """Moves partitions about, as years of changes do.

    A first rebalance of a few equal devices deals out the same few rows again and again, so that
    each device has the same neighbours, or even the same fragment index, everywhere.
    """
    dice = random.Random(seed)
    for spread in (0.5, 0.5, 0.0):
        for device in builder.devs:
            builder.set_dev_weight(device['id'], 100.0 * (1 + dice.uniform(-spread, spread)))
        builder.rebalance(seed=str(seed))
    replicas = builder._replica2part2dev
    for partition in range(builder.parts):
        row = [replica[partition] for replica in replicas]
        dice.shuffle(row)
        for replica, device in zip(replicas, row):
            replica[partition] = device


def _device(number, ip, port, name):
    return {'id': number, 'region': 1, 'zone': 1, 'ip': ip, 'port': port,
            'replication_ip': ip, 'replication_port': port,
            'device': name, 'weight': 100.0, 'meta': ''}
