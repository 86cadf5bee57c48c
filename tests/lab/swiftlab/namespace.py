"""Private mount, network and process namespaces: the way in and the set-up inside.

The process namespace is what makes clean-up certain: when its first process (the holder) ends for
whatever reason, the kernel ends all others.
"""

import ctypes
import fcntl
import os
import socket
import struct

MS_BIND = 4096
MS_NOSUID, MS_NODEV = 2, 4
MNT_DETACH = 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def enter_new(as_root):
    """The command prefix that starts a holder in new namespaces.

    Someone who is not root becomes root of a user namespace first.
    """
    prefix = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL']
    return prefix if as_root else prefix + ['--user', '--map-root-user']


def enter(holder_pid, as_root, working_directory, environment):
    """The command prefix that runs something in the namespaces of a holder.

    The command dies with its nsenter, and, like all, with the holder.
    """
    assignments = [f'{name}={value}' for name, value in environment.items()]
    user = [] if as_root else ['--user', '--preserve-credentials']
    return ['nsenter', '--target', str(holder_pid), *user, '--mount', '--net', '--pid',
            'setpriv', '--pdeathsig', 'KILL', 'env', '-C', working_directory, *assignments]


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')


def mount(source, target, kind=None, flags=0, data=None):
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _check(_libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]),
           f'mount {kind or source} at {target}')


def bind(source, target):
    mount(source, target, flags=MS_BIND)


def unmount(target):
    # Detached, because a service may hold the device open: so does an operator's umount -l.
    _check(_libc.umount2(target.encode(), MNT_DETACH), f'unmount {target}')


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack('16sh14x', b'lo', 0)
        _name, flags = struct.unpack('16sh14x', fcntl.ioctl(sock, SIOCGIFFLAGS, request))
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', flags | IFF_UP))


def mount_proc():
    """Gives the process namespace its own /proc where the machine permits it.

    A container may forbid it. The outer /proc does too: /proc/self still means the reader.
    """
    try:
        mount('proc', '/proc', 'proc', MS_NOSUID | MS_NODEV)
        return True
    except OSError:
        return False


def private_etc_swift(source, scratch):
    """Makes `source` appear as /etc/swift, in this mount namespace only.

    On a machine without /etc/swift, /etc gets a throw-away overlay in which the mount point can
    be made; the machine's own /etc stays as it is. Returns the mount points made, last one first.
    """
    made = ['/etc/swift']
    if not os.path.isdir('/etc/swift'):
        mount('tmpfs', scratch, 'tmpfs')
        for name in ('upper', 'work'):
            os.mkdir(os.path.join(scratch, name))
        mount('overlay', '/etc', 'overlay',
              data=f'lowerdir=/etc,upperdir={scratch}/upper,workdir={scratch}/work')
        os.mkdir('/etc/swift')
        made += ['/etc', scratch]
    bind(source, '/etc/swift')
    return made
