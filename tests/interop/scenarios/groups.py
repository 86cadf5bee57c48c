"""The groups of the table: options and faults that rows share."""

import contextlib
import dataclasses
import fcntl
import os

GONE_SERVER = 4
GONE_DEVICE = 'd4'


@contextlib.contextmanager
def no_faults(_lab, _scenes):
    yield


@contextlib.contextmanager
def server_down(lab, _scenes):
    lab.kill(GONE_SERVER)
    try:
        yield
    finally:
        lab.start(GONE_SERVER)


@contextlib.contextmanager
def device_unmounted(lab, _scenes):
    lab.unmount(GONE_DEVICE)
    try:
        yield
    finally:
        lab.mount(GONE_DEVICE)


def locked(part):
    """Somebody holds the replication lock of the row's partition at that device."""
    @contextlib.contextmanager
    def hold(_lab, scenes):
        with contextlib.ExitStack() as held:
            for scene in scenes:
                folder = scene.partition_folder(part)
                os.makedirs(folder, exist_ok=True)
                file = held.enter_context(open(f'{folder}/.lock-replication', 'wb'))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    return hold


STRACE = ['strace', '-f', '-qqq', '-o', '/dev/null', '-e']


def failing(error, *syscalls):
    """The reconstructor's system calls fail with `error` for what rows gave to `scene.fails`."""
    def prefix(scenes):
        paths = [part for scene in scenes for path in scene.failing for part in ('-P', path)]
        # A call that this machine does not know is preceded by a question mark.
        names = ','.join('?' + name for name in syscalls)
        return [*STRACE, f'trace={names}', '-e', f'inject={names}:error={error}', *paths, '--']
    return prefix


def failing_everywhere(error, *syscalls):
    """The same for whatever the reconstructor does it to. strace knows no target of a rename."""
    names = ','.join('?' + name for name in syscalls)
    return lambda _scenes: [*STRACE, f'trace={names}', '-e', f'inject={names}:error={error}', '--']


LISTING = ('getdents', 'getdents64')
METADATA = ('getxattr', 'lgetxattr', 'fgetxattr')
READING = ('read', 'pread64', 'readv', 'preadv', 'preadv2')
RENAMING = ('rename', 'renameat', 'renameat2')


@contextlib.contextmanager
def read_only(lab, scenes):
    """The devices that rows gave to `scene.read_only` take no more writing at their server."""
    points = sorted({lab.layout.mount_point(device) for scene in scenes
                     for device in scene.read_only_devices})
    for point in points:
        lab.run(['mount', '-o', 'remount,bind,ro', point])
    try:
        yield
    finally:
        for point in points:
            lab.run(['mount', '-o', 'remount,bind,rw', point])


def no_prefix(_scenes):
    return []


# Swift's threads and greenlets share the lock of its log on the console. What threads say at level
# DEBUG (temporary files of rsync) can leave a greenlet waiting for that lock for ever.
QUIET = {'log_level': 'INFO'}


@dataclasses.dataclass
class Group:
    """`rounds` passes at `servers` (all unless named), one after the other.

    `prefix(scenes)` is the start of the reconstructor's command line. With `all_pairings` Swift's
    reconstructor, the slowest of all, runs against our servers even if nobody asks for it.
    """

    name: str
    options: dict = dataclasses.field(default_factory=dict)
    rounds: int = 1
    servers: tuple = ()
    faults: object = no_faults
    prefix: object = no_prefix
    all_pairings: bool = False


OTHER_SERVERS = (1, 2, 3)

GROUPS = [
    Group('plain', QUIET),
    Group('rounds', QUIET, rounds=3),
    Group('no_window', {'commit_window': 0}, servers=(1,)),
    Group('limited', {'max_objects_per_revert': 2}, servers=(1,), all_pairings=True),
    Group('handoffs_only', {'handoffs_only': 'yes'}, all_pairings=True),
    Group('handoffs_first', {'handoffs_first': 'yes'}, servers=(1,)),
    Group('server_down', QUIET, servers=OTHER_SERVERS, faults=server_down, all_pairings=True),
    Group('unmounted', faults=device_unmounted),
    Group('unmounted_no_handoffs', {'rebuild_handoff_node_count': 0}, faults=device_unmounted),
    Group('quarantine', {'quarantine_threshold': 1, 'quarantine_age': 0}),
    Group('quarantine_young', {'quarantine_threshold': 1, 'quarantine_age': 7200}),
    Group('quarantine_pair', {'quarantine_threshold': 2, 'quarantine_age': 0}),
    Group('quarantine_three', {'quarantine_threshold': 3, 'quarantine_age': 0}, servers=(1,)),
    Group('quarantine_handoffs', {'quarantine_threshold': 1, 'quarantine_age': 0}, servers=(1,)),
    Group('quarantine_no_handoffs', {'quarantine_threshold': 1, 'quarantine_age': 0,
                                     'request_node_count': '1 * replicas'}, servers=(1,)),
    Group('quarantine_brake', {'quarantine_threshold': 1, 'quarantine_age': 0,
                               'fragmend_quarantine_brake': 2}),
    Group('quarantine_server_down', {'quarantine_threshold': 1, 'quarantine_age': 0},
          servers=OTHER_SERVERS, faults=server_down),
    Group('locked_here', servers=(1,), faults=locked('h0')),
    Group('locked_there', servers=(1,), faults=locked('p2'), all_pairings=True),
    Group('eio', servers=(1,), prefix=failing('EIO', *LISTING, *METADATA)),
    Group('eio_partition', servers=(1,), prefix=failing('EIO', *LISTING)),
    Group('euclean', servers=(1,), prefix=failing('EUCLEAN', *LISTING, *METADATA)),
    Group('enodata', servers=(1,), prefix=failing('ENODATA', *LISTING, *METADATA)),
    Group('unreadable', servers=(1,), prefix=failing('EIO', *READING)),
    Group('enospc', servers=(1,), prefix=failing_everywhere('ENOSPC', *RENAMING)),
    Group('read_only', servers=(1,), faults=read_only),
]
