"""The holder: first process of a lab's namespaces. It mounts, starts servers and collects logs.

Started by Lab.up() as `unshare ... python3 -m swiftlab.holder DIRECTORY [--lifeline]
[--ephemeral]`. It answers requests at <directory>/run/control.sock. It ends, and everything in the
lab with it, when it is killed or, with --lifeline, when its standard input closes because the
process that made the lab is gone; with --ephemeral it then removes the folder.
"""

import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys

from . import children, control, layout, log_collector, namespace, spec


class Holder:
    """Single-threaded: one selector over control requests, log datagrams, children, lifeline."""

    def __init__(self, place, etc_mounts, has_lifeline, ephemeral):
        self._place = place
        self._etc_mounts = etc_mounts
        self._ephemeral = ephemeral
        self._selector = selectors.DefaultSelector()
        self._children = children.Children(lambda name: place.path('log', name))
        self._running = True
        self._mounted = set()
        self._watch_children()
        self._collect_logs()
        if has_lifeline:
            self._selector.register(0, selectors.EVENT_READ, self._lifeline_moved)
        listener = control.listen(place.control_socket)
        self._selector.register(
            listener, selectors.EVENT_READ,
            lambda: control.answer_one(listener.accept()[0], self._handle))

    def _watch_children(self):
        woken, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

        def reap():
            os.read(woken, 4096)
            self._children.reap()
        self._selector.register(woken, selectors.EVENT_READ, reap)

    def _collect_logs(self):
        ports = {node.log_port: f'node-{node.number}.log' for node in self._place.nodes}
        ports[layout.LOG_PORT_BASE] = 'proxy.log'
        for port, name in ports.items():
            collector = log_collector.LogCollector(layout.LOG_IP, port,
                                                   self._place.path('log', name))
            self._selector.register(collector.socket, selectors.EVENT_READ, collector.drain)

    def _lifeline_moved(self):
        if not os.read(0, 1):
            self._running = False

    def run(self):
        while self._running:
            for key, _events in self._selector.select():
                key.data()
        if self._ephemeral:
            self._kill_all()
            self._unmount_all()
            shutil.rmtree(self._place.directory, ignore_errors=True)

    def _unmount_all(self):
        for name in self._place.device_names:
            for target in (self._place.mount_point(name), self._place.backing(name)):
                while os.path.ismount(target) or name in self._mounted:
                    namespace.unmount(target)
                    self._mounted.discard(name)
        for target in self._etc_mounts:
            namespace.unmount(target)

    def _kill_all(self):
        """Ends everything else in the process namespace, so that nothing writes any more."""
        if os.getpid() != 1:
            raise RuntimeError('the holder is not the first process of a namespace of its own')
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            while True:
                os.wait()
        except ChildProcessError:
            pass

    def _handle(self, request):
        operation = getattr(self, f'_do_{request["op"]}', None)
        if operation is None:
            raise RuntimeError('unknown operation')
        answer = operation(request) or {}
        fds = answer.pop('fds', [])
        return answer, fds

    def _do_spawn(self, request):
        """Starts a program (`argv`) or a Swift server (`app`, `conf`) under a name."""
        if 'app' in request:
            def run():
                return run_swift_server(request['app'], request['conf'])
        else:
            def run():
                os.execvp(request['argv'][0], request['argv'])
        return {'pid': self._children.spawn(request['name'], run)}

    def _do_signal(self, request):
        self._children.signal(request['name'], request['signal'])

    def _do_status(self, _request):
        return {'processes': self._children.status(), 'mounted': sorted(self._mounted)}

    def _do_connect(self, request):
        """Hands out a connected TCP socket of the lab's network."""
        sock = socket.create_connection((request['ip'], request['port']), timeout=5)
        sock.setblocking(True)
        return {'fds': [sock.detach()]}

    def _do_mount(self, request):
        name = request['device']
        if name in self._mounted:
            raise RuntimeError(f'{name} is already mounted')
        namespace.bind(self._place.backing(name), self._place.mount_point(name))
        self._mounted.add(name)

    def _do_unmount(self, request):
        if request['device'] not in self._mounted:
            raise RuntimeError(f'{request["device"]} is not mounted')
        namespace.unmount(self._place.mount_point(request['device']))
        self._mounted.discard(request['device'])

    def mount_devices(self):
        for name in self._place.device_names:
            if self._place.spec.tmpfs:
                namespace.mount('tmpfs', self._place.backing(name), 'tmpfs',
                                data=f'size={self._place.spec.tmpfs_mib}m')
                # Fails here and clearly before Linux 6.6, instead of at the first object.
                os.setxattr(self._place.backing(name), 'user.lab-probe', b'')
            if self._place.spec.mount_check:
                # A bind mount has its parent's st_dev; this stub is how Swift knows it anyway.
                with open(os.path.join(self._place.backing(name), '.ismount'), 'w'):
                    pass
            self._do_mount({'device': name})


def run_swift_server(app, conf):
    """Runs a Swift WSGI server exactly as its program in /usr/bin does."""
    from swift.common.wsgi import run_wsgi
    options = {}
    if app == 'object-server':
        from swift.obj import server
        options['global_conf_callback'] = server.global_conf_callback
    # Eventlet's patching collects garbage once a lock: half a second for the same result.
    gc.collect = lambda: 0
    sys.argv = [f'swift-{app}', conf]
    return run_wsgi(conf, app, **options)


def _preload(with_proxy):
    """Takes in, once, what every server needs, so that each starts by a fork in no time."""
    modules = ['swift.common.wsgi', 'swift.obj.server', 'swift.common.middleware.recon',
               'swift.common.middleware.healthcheck', 'paste.deploy.loadwsgi', 'pkg_resources']
    if with_proxy:
        modules += ['swift.proxy.server', 'swift.account.server', 'swift.container.server',
                    'swift.common.middleware.gatekeeper']
    for module in modules:
        importlib.import_module(module)


def main():
    directory, flags = sys.argv[1], sys.argv[2:]
    with open(os.path.join(directory, 'lab.json'), encoding='utf-8') as state_file:
        state = json.load(state_file)
    place = layout.Layout(directory, spec.LabSpec.from_dict(state['spec']))
    # Taken before the private /proc hides it: nsenter needs the number that outsiders see.
    outer_pid = int(os.readlink('/proc/self'))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    namespace.loopback_up()
    etc_mounts = namespace.private_etc_swift(place.path('etc'), place.path('scratch'))
    namespace.mount_proc()
    _preload(place.spec.proxy)
    holder = Holder(place, etc_mounts, '--lifeline' in flags, '--ephemeral' in flags)
    holder.mount_devices()
    with open(place.path('run', 'holder.pid.tmp'), 'w', encoding='ascii') as out:
        out.write(str(outer_pid))
    os.rename(place.path('run', 'holder.pid.tmp'), place.path('run', 'holder.pid'))
    holder.run()


if __name__ == '__main__':
    main()
