"""The stage of the scenario table: a lab in which every row has partitions and objects of its own.

A row says which files lie where before a pass. Devices are named by their part in the row's
partition: `p0`, `p1`, ... are its primaries by position in the ring, `h0`, `h1`, ... its handoffs in
the order in which Swift walks them.
"""

import dataclasses
import itertools
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'rebuild'))
import support  # noqa: E402,F401  (puts the lab on the path)

HOUR_S = 3600
NAMES_TRIED_MAX = 200_000


@dataclasses.dataclass
class Place:
    """A partition of one policy's ring, with its devices by part."""

    policy: object
    partition: int
    devices: dict
    servers: dict

    def device(self, part):
        return self.devices[part]

    def server(self, part):
        """The number of the server that has the device."""
        return self.servers[part]


REVERTING_SERVER = 1


def deal_rings(lab, seed=1):
    """Rings for the stage: three of four partitions have no primary at the first server.

    Its first handoff is then there, because Swift looks in an untouched zone first. Servers run in
    turn, so whatever the first one reverts finds its partners as the row put them.
    """
    from swift.common.ring import RingData
    dice = random.Random(seed)
    for policy in lab.spec.policies:
        if not policy.ec_type:
            continue
        path = lab.layout.path('etc', f'object{policy.suffix}.ring.gz')
        ring = RingData.load(path)
        everybody = [device['id'] for device in ring.devs]
        others = [device['id'] for device in ring.devs
                  if lab.layout.node_of(device['device']).number != REVERTING_SERVER]
        for partition in range(1 << lab.spec.part_power):
            row = dice.sample(everybody if partition % 4 == 0 else others, policy.ring_replicas)
            for replica, device in zip(ring._replica2part2dev_id, row):
                replica[partition] = device
        ring.save(path)


def rings_of_client_ports(lab):
    """Rings in which nodes replicate at their client ports too; options of a reconstructor, by node.

    The lab's own rings lead to the servers of the replication ports.
    """
    from swift.common.ring import RingData
    folder = lab.layout.path('etc', 'client-ports')
    os.makedirs(folder)
    for policy in lab.spec.policies:
        name = f'object{policy.suffix}.ring.gz'
        ring = RingData.load(lab.layout.path('etc', name))
        for device in ring.devs:
            device['replication_port'] = device['port']
        ring.save(os.path.join(folder, name))
    return {node.number: {'swift_dir': '/etc/swift/client-ports', 'bind_port': node.port}
            for node in lab.layout.nodes}


def reverts_first(place):
    """The first handoff is at the server that runs first, and no primary is."""
    return place.server('h0') == REVERTING_SERVER and all(
        server != REVERTING_SERVER for part, server in place.servers.items() if part[0] == 'p')


class Ground:
    """Rings and hashing of a lab, in this process."""

    def __init__(self, lab):
        from swift.common import utils
        # The process has no swift.conf; what stands there in the lab is known.
        utils.HASH_PATH_PREFIX = lab.spec.hash_prefix.encode()
        utils.HASH_PATH_SUFFIX = lab.spec.hash_suffix.encode()
        from swift.common.ring import Ring
        self.lab = lab
        self._hash_path = utils.hash_path
        self._rings = {policy.index: Ring(lab.layout.path('etc'), ring_name='object' + policy.suffix)
                       for policy in lab.spec.policies if policy.ec_type}
        self._taken = set()
        self._names = itertools.count()

    def hash_of(self, name, container='c'):
        return self._hash_path('AUTH_lab', container, name)

    def place(self, policy, partition):
        ring = self._rings[policy.index]
        parts = {f'p{i}': node for i, node in enumerate(ring.get_part_nodes(partition))}
        parts.update({f'h{i}': node for i, node in enumerate(ring.get_more_nodes(partition))})
        layout = self.lab.layout
        return Place(policy, partition, {part: node['device'] for part, node in parts.items()},
                     {part: layout.node_of(node['device']).number for part, node in parts.items()})

    def free_place(self, policy, fits):
        """A partition that no row has yet and that `fits` accepts."""
        for partition in range(1 << self.lab.spec.part_power):
            if (policy.index, partition) in self._taken:
                continue
            place = self.place(policy, partition)
            if fits(place):
                self._taken.add((policy.index, partition))
                return place
        raise LookupError('no partition is left that fits; raise the part power of the lab')

    def name_in(self, place):
        """An object name whose hash lies in the partition."""
        shift = 32 - self.lab.spec.part_power
        for number in itertools.islice(self._names, NAMES_TRIED_MAX):
            name = f'o{number}'
            if int(self.hash_of(name)[:8], 16) >> shift == place.partition:
                return name
        raise LookupError('no name found')


class Object:
    """One object of a row: its history, told as what each device sees."""

    def __init__(self, scene, name):
        self._scene = scene
        self.name = name
        self.hash = scene.ground.hash_of(name)
        self.events = []

    def put(self, at=-HOUR_S, on=None, size=4000, **more):
        """Fragments of one version. `on`: {part of the row: index or list of indexes}; default all
        indexes on their primaries. `at` counts in seconds from the row's now."""
        base = {'op': 'put', 'at': self._scene.time(at), 'bytes': size,
                'content_type': 'text/plain', 'meta': {'Color': 'blue'}, **more}
        if on is None:
            self.events.append(base)
            return self
        for part, indexes in on.items():
            for index in [indexes] if isinstance(indexes, int) else indexes:
                self.events.append({**base, 'indexes': [index],
                                    'place': {str(index): self._scene.device(part)}})
        return self

    def put_where(self, indexes, at=-HOUR_S, **more):
        """Fragments of these indexes on their primaries."""
        return self.put(at, on={f'p{index}': index for index in indexes}, **more)

    def _single(self, event, on):
        for part in on:
            self.events.append({**event, 'indexes': [0],
                                'place': {'0': self._scene.device(part)}})
        return self

    def post(self, at, on, **more):
        event = {'op': 'post', 'at': self._scene.time(at), 'meta': {'Color': 'red'}, **more}
        if 'content_type_at' in event:
            event['content_type_at'] = self._scene.time(event['content_type_at'])
        return self._single(event, on)

    def delete(self, at, on):
        return self._single({'op': 'delete', 'at': self._scene.time(at)}, on)

    def history(self):
        return {'account': 'AUTH_lab', 'container': 'c', 'name': self.name,
                'policy': self._scene.place.policy.index, 'events': self.events}

    def folder(self, part):
        """The hash directory at a device, seen from outside the lab."""
        return os.path.join(self._scene.partition_folder(part), self.hash[-3:], self.hash)

    def files(self, part, ending=''):
        folder = self.folder(part)
        return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                      if name.endswith(ending))


class Scene:
    """A row on the stage: its place, its objects, and what is done to their files."""

    def __init__(self, ground, row, policy, now):
        self.ground = ground
        self.row = row
        self.place = ground.free_place(policy, row.fits)
        self.objects = []
        self.deeds = []
        self.failing = []
        self.read_only_devices = []
        self._now = now
        row.build(self)

    @property
    def data_dir(self):
        return 'objects' + self.place.policy.suffix

    def object(self):
        made = Object(self, self.ground.name_in(self.place))
        self.objects.append(made)
        return made

    def after(self, deed):
        """`deed()` is done to the disks when the objects have been written."""
        self.deeds.append(deed)

    def fails(self, part, path):
        """System calls at this path of a device fail, in groups that say which and how."""
        layout = self.ground.lab.layout
        point = layout.mount_point(self.device(part))
        self.failing.append(os.path.join(point, os.path.relpath(path, self.root(part))))

    def read_only(self, part):
        self.read_only_devices.append(self.device(part))

    def device(self, part):
        return self.place.device(part)

    def time(self, at):
        """Swift's text of a time, counted from the row's now; `(seconds, offset)` for an offset."""
        offset = 0
        if isinstance(at, tuple):
            at, offset = at
        text = f'{self._now + at:016.5f}'
        return f'{text}_{offset:016x}' if offset else text

    def root(self, part):
        return self.ground.lab.device_path(self.device(part))

    def partition_folder(self, part):
        return os.path.join(self.root(part), self.data_dir, str(self.place.partition))

    def age(self, part, seconds):
        """Makes all files of the row at a device look last changed so long ago."""
        then = time.time() - seconds
        for folder, _folders, names in os.walk(self.partition_folder(part)):
            for name in names:
                os.utime(os.path.join(folder, name), (then, then))


@dataclasses.dataclass
class Row:
    """One line of the table.

    `differs` names why Fragmend's reconstructor may end otherwise than Swift's; `check(scene, swift,
    fragmend)` then says what must be true of the two states instead of their being equal. With
    `chance` that lies in dice which each run throws anew: with Swift's reconstructor another server
    is then compared with nothing, with ours by `check`. `receiver_differs` and `receiver_check` are
    the same for Fragmend's server.
    """

    name: str
    build: object
    group: str = 'plain'
    duplicated: bool = False
    fits: object = reverts_first
    differs: str = ''
    check: object = None
    chance: bool = False
    receiver_differs: str = ''
    receiver_check: object = None
    requests_differ: str = ''
    logs: tuple = ()


class Table(list):
    """The rows, added by decoration: @table.row('what it is about', group=...)"""

    def row(self, name, **fields):
        def add(build):
            if any(row.name == name for row in self):
                raise ValueError(f'two rows are named {name!r}')
            self.append(Row(name, build, **fields))
            return build
        return add
