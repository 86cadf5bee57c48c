"""Lab: one private Swift cluster, from bringing it up to taking it down."""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from . import conf_files, control, namespace, rings
from . import layout as places
from .damage import DamageOperations
from .filling import FillOperations
from .measured_run import MeasuredRun
from .running import RunOperations
from .spec import LabSpec

START_LIMIT_S = 60.0
ESTABLISHED_OR_CLOSE_WAIT = ('01', '08')  # In /proc/net/tcp.
# Swift's modules are Debian's, and known to Debian's Python only.
PYTHON = '/usr/bin/python3'
_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class LabError(RuntimeError):
    """The lab could not do what was asked of it."""


class Lab(DamageOperations, FillOperations, RunOperations):
    """A cluster of real Swift servers in namespaces of its own.

    Use it as a context manager, with the fields of LabSpec and PolicySpec as options:

        with Lab(ec_type='isa_l_rs_cauchy', k=4, m=2, servers=4, devices=8) as lab: ...

    The cluster ends with the process that made it, however that one ends; `detached=True` (the
    command line) lets it live until `down()` of a Lab.attach(directory). A folder that the lab
    chose itself, in the temporary folder or `below` another one, is removed at the end unless
    `keep` is set. Not thread-safe.
    """

    def __init__(self, directory=None, keep=False, detached=False, below=None, **options):
        self.spec = LabSpec.from_options(**options)
        self.keep = keep
        self._detached = detached
        self._own_directory = directory is None
        self._as_root = os.geteuid() == 0
        self._unshare = None
        self._pidfd = None
        self.holder_pid = None
        if directory is None:
            directory = tempfile.mkdtemp(prefix='fragmend-lab-', dir=below)
        self.layout = places.Layout(directory, self.spec)

    @property
    def directory(self):
        return self.layout.directory

    @classmethod
    def attach(cls, directory, must_run=True):
        """The Lab of a cluster that another process brought up in `directory`.

        Without `must_run` it may be dead, which is good enough for `down`.
        """
        with open(os.path.join(directory, 'lab.json'), encoding='utf-8') as state_file:
            state = json.load(state_file)
        lab = cls.__new__(cls)
        lab.spec = LabSpec.from_dict(state['spec'])
        lab.keep, lab._detached, lab._own_directory = state['keep'], True, state['own_directory']
        lab._as_root = state['as_root']
        lab._unshare = lab._pidfd = None
        lab.layout = places.Layout(directory, lab.spec)
        lab.holder_pid = None
        try:
            lab._find_holder()
        except LabError:
            if must_run:
                raise
        return lab

    def __enter__(self):
        return self.up()

    def __exit__(self, *_exception):
        self.down()

    # Life.

    def up(self, start=True):
        """Makes the folder, starts the holder and, unless told otherwise, all servers."""
        if os.path.exists(self.layout.state_file):
            raise LabError(f'{self.directory} already holds a lab')
        for folder in self.layout.folders():
            os.makedirs(folder, exist_ok=True)
        conf_files.write_all(self.layout)
        rings.build_all(self.layout)
        with open(self.layout.state_file, 'w', encoding='utf-8') as out:
            json.dump({'spec': self.spec.to_dict(), 'as_root': self._as_root, 'keep': self.keep,
                       'own_directory': self._own_directory}, out, indent=1)
        try:
            self._start_holder()
            if start:
                self.start_all()
        except BaseException:
            self.down()
            raise
        return self

    def _start_holder(self):
        flags = [] if self._detached else ['--lifeline']
        if self._own_directory and not self.keep and not self._detached:
            flags.append('--ephemeral')
        environment = dict(os.environ, PYTHONPATH=self._python_path(_PACKAGE_PARENT),
                           PYTHONDONTWRITEBYTECODE='1')
        with open(self.layout.path('log', 'holder.log'), 'ab') as log:
            # A session of its own: Ctrl-C at the terminal is for us, and we take the lab down.
            self._unshare = subprocess.Popen(
                namespace.enter_new(self._as_root)
                + [PYTHON, '-m', 'swiftlab.holder', self.directory, *flags],
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=log, stderr=log, cwd='/', env=environment, start_new_session=True)
        if not self._detached:
            atexit.register(self.down)
        pid_file = self.layout.path('run', 'holder.pid')
        self._poll(lambda: os.path.exists(pid_file), 'the holder to start',
                   gone=lambda: self._unshare.poll() is not None)
        self._find_holder()

    def _find_holder(self):
        try:
            with open(self.layout.path('run', 'holder.pid'), encoding='ascii') as pid_file:
                self.holder_pid = int(pid_file.read())
            pidfd = os.pidfd_open(self.holder_pid)
            # The number may have passed on to a stranger; only the holder answers here.
            self._ask('status')
        except (OSError, control.ControlError) as error:
            raise LabError(f'the lab in {self.directory} is not running: {error}') from error
        self._pidfd = pidfd

    def _poll(self, condition, what, gone=lambda: False, limit_s=START_LIMIT_S):
        """Waits for a condition by looking at it, never by a fixed delay."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if gone() or time.monotonic() > deadline:
                raise LabError(f'waited in vain for {what}\n{self.log_tails()}')
            time.sleep(0.01)

    def down(self):
        """Ends every process of the lab; removes its folder if the lab chose it. Repeatable."""
        if self._pidfd is not None:
            # Killing the first process of the namespace ends all others with it.
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            select.select([self._pidfd], [], [], 30)
            os.close(self._pidfd)
            self._pidfd = None
        if self._unshare is not None:
            self._unshare.kill()
            self._unshare.wait()
            if self._unshare.stdin:
                self._unshare.stdin.close()
            self._unshare = None
        atexit.unregister(self.down)
        if self._own_directory and not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        elif os.path.exists(self.layout.path('run', 'holder.pid')):
            os.unlink(self.layout.path('run', 'holder.pid'))

    def _ask(self, operation, **fields):
        return control.ask(self.layout.control_socket, {'op': operation, **fields})

    def status(self):
        """Processes by name and mounted devices."""
        return self._ask('status')

    def servers_cpu_s(self):
        """CPU seconds that all servers of the lab have used so far."""
        return sum(state.get('cpu_s', 0.0) for state in self.status()['processes'].values())

    def log_tails(self, lines=15):
        """The last lines of every log, for error messages."""
        parts = []
        folder = self.layout.path('log')
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as log:
                tail = log.readlines()[-lines:]
            if tail:
                parts.append(f'--- {name}\n{"".join(tail)}')
        return ''.join(parts)

    def log_text(self, node):
        """All that the services of a node logged."""
        self.layout.node(node)
        with open(self.layout.path('log', f'node-{node}.log'), encoding='utf-8',
                  errors='replace') as log:
            return log.read()

    # Servers.

    def start_all(self):
        for name in self._server_names():
            self._spawn(name)
        for name in self._server_names():
            self._await_listening(name)

    def start(self, number, argv=None):
        """Starts a node's servers; `argv` replaces Swift's object server (conf is appended)."""
        node = self.layout.node(number)
        self._spawn(node.name, argv)
        for name in self._names_of(number)[1:]:
            self._spawn(name)
        for name in self._names_of(number):
            self._await_listening(name)

    def stop_all(self):
        running = self.status()['processes']
        for name in self._server_names():
            if 'pid' in running.get(name, {}):
                self._ask('signal', name=name, signal=signal.SIGKILL)

    def kill(self, number):
        """Ends a node's servers at once (SIGKILL)."""
        self._signal(number, signal.SIGKILL)

    def freeze(self, number):
        """Stops a node's servers with SIGSTOP: their connections stay open and silent."""
        self._signal(number, signal.SIGSTOP)

    def thaw(self, number):
        self._signal(number, signal.SIGCONT)

    def wait_until_idle(self):
        """Waits until no object server has a connection left: nothing touches the disks then.

        A request whose client is gone goes on, and a thawed server serves all that came meanwhile.
        """
        self._poll(lambda: not self.served(), 'the object servers to close their connections')

    def served(self):
        """The fields in /proc/net/tcp of connections that object servers still have open."""
        addresses = set()
        for node in self.layout.nodes:
            ip = f'{int.from_bytes(socket.inet_aton(node.bind_ip), sys.byteorder):08X}'
            addresses |= {f'{ip}:{port:04X}' for port in (node.port, node.replication_port)}
        with open(f'/proc/{self.holder_pid}/net/tcp', encoding='ascii') as table:
            sockets = (line.split() for line in table)
            return [fields for fields in sockets
                    if fields[1] in addresses and fields[3] in ESTABLISHED_OR_CLOSE_WAIT]

    def _signal(self, number, what):
        for name in self._names_of(number):
            self._ask('signal', name=name, signal=what)

    def _names_of(self, number):
        """A node's object server, and the server of its replication port if there is one."""
        node = self.layout.node(number)
        return [node.name] + ([node.replication_name] if node.has_replication_server else [])

    def _server_names(self):
        names = ['account-server', 'container-server', 'proxy-server'] if self.spec.proxy else []
        return ([name for node in self.layout.nodes for name in self._names_of(node.number)]
                + (['fault-proxy'] if self.spec.fault_proxy else []) + names)

    def _spawn(self, name, argv=None):
        if name == 'fault-proxy':
            self._ask('spawn', name=name,
                      argv=[PYTHON, '-m', 'swiftlab.fault_proxy', self.directory])
        elif argv:
            node = self.layout.node(int(name.rsplit('-', 1)[1]))
            self._ask('spawn', name=name, argv=[*argv, node.conf])
        elif name.startswith('replication-server-'):
            node = self.layout.node(int(name.rsplit('-', 1)[1]))
            program = self.spec.replication_server
            if program == 'swift':
                self._ask('spawn', name=name, app='object-server', conf=node.replication_conf)
            else:
                self._ask('spawn', name=name, argv=[*program, node.replication_conf])
        elif name.startswith('object-server-'):
            node = self.layout.node(int(name.rsplit('-', 1)[1]))
            self._ask('spawn', name=name, app='object-server', conf=node.conf)
        else:
            self._ask('spawn', name=name, app=name, conf=f'/etc/swift/{name}.conf')

    def _await_listening(self, name):
        fixed = {'account-server': places.ACCOUNT_ADDRESS, 'proxy-server': places.PROXY_ADDRESS,
                 'container-server': places.CONTAINER_ADDRESS}
        if name == 'fault-proxy':
            addresses = [(node.ring_ip, node.port) for node in self.layout.nodes]
        elif name in fixed:
            addresses = [fixed[name]]
        else:
            node = self.layout.node(int(name.rsplit('-', 1)[1]))
            port = node.replication_port if name == node.replication_name else node.port
            addresses = [(node.bind_ip, port)]
        for address in addresses:
            self._poll(lambda: self._is_listening(address), f'{name} to listen',
                       gone=lambda: 'exit' in self.status()['processes'].get(name, {'exit': 0}))

    def _is_listening(self, address):
        try:
            self.connect(*address).close()
            return True
        except control.ControlError:
            return False

    # Ways in.

    def connect(self, ip, port):
        """A TCP socket of the lab's network, usable from this process."""
        _answer, fds = control.ask_with_fds(self.layout.control_socket,
                                            {'op': 'connect', 'ip': ip, 'port': port})
        return socket.socket(fileno=fds[0])

    def inside(self, argv, working_directory=None, env=None):
        """The command line that runs `argv` inside the lab; `env` adds variables."""
        environment = dict(env or {})
        if not self._as_root:
            environment['PYTHONPATH'] = self._python_path(environment.get('PYTHONPATH'))
        return (namespace.enter(self.holder_pid, self._as_root, working_directory or os.getcwd(),
                                environment) + list(argv))

    def _python_path(self, *more):
        """A search path for Python inside: whoever is not root needs a start-up file besides."""
        own = [] if self._as_root else [os.path.join(_PACKAGE_PARENT, 'single_user')]
        return os.pathsep.join(own + [part for part in more if part])

    def run(self, argv, timeout_s=600.0, working_directory=None, env=None):
        """Runs a command inside to its end; a RunResult. Output and error come together."""
        return self.popen(argv, working_directory, env).wait(timeout_s)

    def popen(self, argv, working_directory=None, env=None):
        """Starts a command inside; a MeasuredRun."""
        return MeasuredRun(self.inside(argv, working_directory, env))

    def run_module(self, module, *arguments, timeout_s=600.0):
        """Runs a module of this package inside, where Swift's modules see the lab's swift.conf."""
        result = self.run([PYTHON, '-m', f'swiftlab.{module}', *arguments], timeout_s=timeout_s,
                          env={'PYTHONPATH': _PACKAGE_PARENT, 'PYTHONDONTWRITEBYTECODE': '1'})
        if result.exit_code != 0:
            raise LabError(f'{module} failed with {result.exit_code}:\n{result.output}')
        return result
