"""One race: a lab with one kind of objects, and rounds of wipe, rebuild, compare."""

import dataclasses
import json
import os

import plain
from lab import compare
from swiftlab.snapshots import object_files

PASSES_MAX = 3
PASS_LIMIT_S = 3600.0
# Done, work remains, unrecoverable objects: what a reconstructor may end with.
GOOD_EXITS = (0, 3, 5)


class RaceFailed(RuntimeError):
    """A side crashed or hung: its time would mean nothing."""


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    object_bytes: int
    count: int


@dataclasses.dataclass(frozen=True)
class Side:
    """A reconstructor: started at each node as `argv... CONF arguments...`.

    `server` takes the place of Swift's object servers, at all nodes.
    """

    name: str
    argv: list
    arguments: tuple
    options: dict
    server: list = None


@dataclasses.dataclass
class Round:
    """What one rebuild took. CPU of the reconstructors and of the object servers stand apart.

    `peak_rss_mib` is that of the largest process, `total_rss_mib` the sum over the nodes.
    `idle_s`, `disk_s` (idle, and something waited for a disk) and `busy_s` are of all cores
    together, whoever kept them busy. `waits_ms` is what objects and sessions waited for, summed
    over those side by side, `codec_ms` the CPU time of verification and decode; Swift tells neither.
    """

    side: str
    wall_s: float
    cpu_s: float
    servers_cpu_s: float
    peak_rss_mib: float
    total_rss_mib: float
    passes: int
    whole: bool
    fragments_per_s: float
    mb_per_s: float
    plain_s: float
    times_plain: float
    moved_s: float
    times_moved: float
    idle_s: float
    disk_s: float
    busy_s: float
    waits_ms: dict
    codec_ms: dict

    def line(self):
        return (f'{self.side:12} {self.wall_s:8.2f} s wall  {self.cpu_s:8.2f} s CPU  '
                f'{self.servers_cpu_s:8.2f} s servers  {self.peak_rss_mib:6.0f} MiB  '
                f'{self.passes} pass{"es" if self.passes > 1 else ""}  '
                f'{self.times_plain:6.2f}x plain  {self.times_moved:6.2f}x moved'
                f'{"" if self.whole else "  NOT WHOLE"}')


class Race:
    """A filled lab and the device that is lost again and again."""

    def __init__(self, lab, device, case):
        self._lab = lab
        self._device = device
        self._case = case
        self._before = None
        self._server = None
        self.nodes = partner_nodes(lab, device)

    def prepare(self):
        """Fills the lab; one pass without damage settles all suffix hashes for both sides."""
        # Swift before 2.32 spoils non-ASCII metadata at each sync, so the fill has none.
        self._lab.fill_fast(self._case.count, [self._case.object_bytes], odd_meta=0)
        _results, total = self._lab.reconstruct_swift_all(timeout_s=PASS_LIMIT_S)
        if total.exit_code:
            raise RaceFailed(f'the settling pass failed\n{total.output[-2000:]}')
        self._before = object_files(self._lab.snapshot(self._device))
        if not self._before:
            raise RaceFailed(f'{self._device} holds nothing; give more objects')

    @property
    def fragments(self):
        return len(self._before)

    @property
    def bytes(self):
        return sum(entry['bytes'] for entry in self._before.values())

    def round(self, side):
        """Wipes the device, lets one side rebuild it, and looks whether it is whole."""
        self._serve(side.server)
        files = plain.archives_below(self._lab.device_path(self._device))
        beside = self._lab.layout.path('plain')
        plain_s = plain.write_plainly(files, beside)
        # One survivor lies on the disk of the node that rebuilds.
        moved_s = plain.move_plainly(files, self._lab.spec.policy().k - 1, beside)
        del files
        self._lab.wipe(self._device)
        # The wipe's own writes must not be charged to the side that comes next.
        os.sync()
        servers_before_s = self._lab.servers_cpu_s()
        wall_s = cpu_s = peak_kib = total_kib = 0.0
        cores_s = [0.0, 0.0, 0.0]
        waits_ms, codec_ms = {}, {}
        for passes in range(1, PASSES_MAX + 1):
            before = machine_s()
            results, total = self._lab.reconstruct(side.argv, self.nodes, side.arguments,
                                                   PASS_LIMIT_S, side.options)
            self._check(side, results)
            wall_s += total.wall_s
            cpu_s += total.cpu_s
            peak_kib = max(peak_kib, total.peak_rss_kib)
            total_kib = max(total_kib, sum(run.peak_rss_kib for run in results.values()))
            cores_s = [sum(parts) for parts in zip(cores_s, machine_s(), (-s for s in before))]
            for run in results.values():
                summary = told(run.output)
                add(waits_ms, summary.get('waits_ms', {}))
                add(codec_ms, summary.get('codec_ms', {}))
            left = compare(self._before, self._lab.snapshot(self._device))
            if not left:
                break
        servers_s = self._lab.servers_cpu_s() - servers_before_s
        rebuilt = self.fragments - len({line.split(':')[0] for line in left})
        return Round(side.name, wall_s, cpu_s, servers_s, peak_kib / 1024, total_kib / 1024,
                     passes, not left, rebuilt / wall_s,
                     self.bytes * rebuilt / self.fragments / 1e6 / wall_s,
                     plain_s, wall_s / plain_s, moved_s, wall_s / moved_s, *cores_s, waits_ms,
                     codec_ms)

    def _serve(self, server):
        """Lets `server` own the object servers' ports; nothing: Swift's."""
        if server == self._server:
            return
        for node in self._lab.layout.nodes:
            self._lab.kill(node.number)
            self._lab.start(node.number, server)
        self._server = server

    @staticmethod
    def _check(side, results):
        for node, run in results.items():
            if run.timed_out or run.exit_code not in GOOD_EXITS:
                raise RaceFailed(f'{side.name} at server {node} '
                                 f'{"hung" if run.timed_out else f"ended with {run.exit_code}"}\n'
                                 f'{run.output[-3000:]}')


def add(sums, more):
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


def machine_s():
    """Seconds since the start: cores idle, idle while something waited for a disk, busy."""
    with open('/proc/stat', encoding='ascii') as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    idle, disk = ticks[3], ticks[4]
    return tuple(part / os.sysconf('SC_CLK_TCK') for part in (idle, disk, sum(ticks) - idle - disk))


def told(output):
    """A summary in JSON; an empty one when the output has none."""
    for line in reversed(output.splitlines()):
        if line.startswith('{'):
            return json.loads(line)
    return {}


def partner_nodes(lab, device):
    """Numbers of the servers whose devices push to `device`: they rebuild it.

    Swift syncs each partition to the devices left, right and half way round in the ring's row.
    """
    from swift.common.ring import Ring
    ring = Ring(lab.layout.path('etc'), ring_name=f'object{lab.spec.policy().suffix}')
    numbers = set()
    for partition in range(ring.partition_count):
        row = [node['device'] for node in ring.get_part_nodes(partition)]
        if device in row:
            index, count = row.index(device), len(row)
            for partner in (index + 1, index - 1, index - count // 2):
                numbers.add(lab.layout.node_of(row[partner % count]).number)
    return sorted(numbers)
