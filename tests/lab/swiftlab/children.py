"""The named processes of a lab: started, signalled and reaped by the holder, and by nobody else."""

import os
import signal
import sys
import time
import traceback


class Children:
    """Process groups by name. Lives in the holder, which is the parent of them all."""

    def __init__(self, log_path):
        self._log_path = log_path
        self._pids = {}
        self._ended = {}

    def spawn(self, name, run):
        """Forks; the child leads a group of its own, logs to <name>.out and calls `run()`."""
        if name in self._pids:
            raise RuntimeError(f'{name} is already running')
        log = os.open(self._log_path(f'{name}.out'), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        pid = os.fork()
        if pid == 0:
            self._become(log, run)
        os.close(log)
        self._pids[name] = pid
        self._ended.pop(name, None)
        return pid

    @staticmethod
    def _become(log, run):
        status = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            null = os.open('/dev/null', os.O_RDONLY)
            for target, source in ((0, null), (1, log), (2, log)):
                os.dup2(source, target)
            os.closerange(3, 1024)
            status = run() or 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:  # A forked child must never return into the holder's loop.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def signal(self, name, number):
        """Signals the whole group, so that forked workers feel it too."""
        if name not in self._pids:
            raise RuntimeError(f'{name} is not running')
        os.killpg(self._pids[name], number)
        if number == signal.SIGKILL:
            self._await_end(name)

    def _await_end(self, name, limit_s=10.0):
        deadline = time.monotonic() + limit_s
        while name in self._pids:
            self.reap()
            if time.monotonic() > deadline:
                raise RuntimeError(f'{name} does not end')
            time.sleep(0.002)

    def reap(self):
        """Takes note of every ended child; orphans of the namespace are reaped in passing."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name in [name for name, known in self._pids.items() if known == pid]:
                del self._pids[name]
                self._ended[name] = os.waitstatus_to_exitcode(status)

    def status(self):
        """{name: {'pid': N, 'cpu_s': S} or {'exit': code}}; a negative code is a signal."""
        self.reap()
        states = {name: {'exit': code} for name, code in self._ended.items()}
        states.update({name: {'pid': pid, 'cpu_s': _group_cpu_s(pid)}
                       for name, pid in self._pids.items()})
        return states


def _group_cpu_s(leader):
    """CPU seconds of a process group so far, ended and reaped children of its members included.

    0 where the machine forbids the namespace a /proc of its own, whose numbers would not fit.
    """
    if os.readlink('/proc/self') != str(os.getpid()):
        return 0.0
    ticks = 0
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', encoding='ascii', errors='replace') as stat:
                    # The second field is a name that may hold blanks, so count from its end.
                    fields = stat.read().rpartition(')')[2].split()
            except OSError:
                continue
            if int(fields[2]) == leader:
                ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf('SC_CLK_TCK')
