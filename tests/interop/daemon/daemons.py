"""A reconstructor that runs for ever at one server of a lab: started, watched, signalled, ended."""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'rebuild'))

from support import program  # noqa: E402

LIMIT_S = 30.0


def wait_until(condition, what, limit_s=LIMIT_S):
    """Looks again and again; returns what the condition gave. Never waits a fixed time."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {limit_s} s in vain for {what}')
        time.sleep(0.02)


def children_of(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def status_of(pid):
    """The fields of /proc/PID/status; {} when it is gone."""
    try:
        with open(f'/proc/{pid}/status', encoding='utf-8') as file:
            return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
    except OSError:
        return {}


def is_alive(pid):
    return status_of(pid).get('State', 'Z')[0] not in 'ZX'


def command_of(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read().split(b'\0')
    except OSError:
        return []


def rss_kib(pid):
    return int(status_of(pid).get('VmRSS', '0 kB').split()[0])


def open_files(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


class Daemon:
    """One daemon of the program under test. Its log is what its node logged since the start."""

    def __init__(self, lab, node, options=None, arguments=(), argv=None):
        self.lab, self.node = lab, node
        self.conf = lab._reconstructor_conf(node, {'interval': 0.2, **(options or {})})
        self._log_start = len(lab.log_text(node))
        argv = argv or program.command()
        self._run = lab.popen([*argv, self.conf, *arguments])
        marker = self.conf.encode()
        self._result = None
        self.pid = wait_until(lambda: self._find(marker), 'the daemon to start')
        # Lines of a daemon that ended just before may still be on their way.
        self._first_line = rf'Starting {status_of(self.pid)["NSpid"].split()[-1]}$'
        wait_until(lambda: self.log, 'its first line')

    def _find(self, marker):
        """The process itself, below the ones that lead into the lab."""
        waiting = children_of(self._run._process.pid)
        while waiting:
            pid = waiting.pop()
            words = command_of(pid)
            if marker in words and any(b'reconstructor' in word for word in words[:2]):
                return pid
            waiting.extend(children_of(pid))
        return None

    @property
    def workers(self):
        return children_of(self.pid)

    @property
    def text(self):
        """All that the node logged since just before the start."""
        return self.lab.log_text(self.node)[self._log_start:]

    @property
    def log(self):
        """Lines of reconstructors only: the node's server writes to the same file."""
        lines = [line for line in self.text.splitlines() if ' object-reconstructor: ' in line]
        begins = [number for number, line in enumerate(lines)
                  if re.search(self._first_line, line)]
        return lines[begins[0]:] if begins else []

    def lines(self, pattern):
        return [line for line in self.log if re.search(pattern, line)]

    def wait_for(self, pattern, count=1, limit_s=LIMIT_S):
        try:
            return wait_until(lambda: len(self.lines(pattern)) >= count and self.lines(pattern),
                              f'{count} x {pattern!r}', limit_s)
        except AssertionError as error:
            raise AssertionError(f'{error}; the log ends:\n' + '\n'.join(self.log[-15:])) from None

    def wait_for_pass(self, more=1, limit_s=LIMIT_S):
        """Waits until that many more passes are complete."""
        pattern = r'Object reconstruction complete\.'
        return self.wait_for(pattern, len(self.lines(pattern)) + more, limit_s)

    def configure(self, before, after):
        """Changes its configuration file, which says `before`."""
        path = self.lab.layout.path('etc', self.conf.removeprefix('/etc/swift/'))
        with open(path, encoding='latin-1') as file:
            text = file.read()
        assert before in text, text
        with open(path, 'w', encoding='latin-1') as out:
            out.write(text.replace(before, after))

    def send(self, number):
        os.kill(self.pid, number)

    def send_together(self, *numbers):
        """All are pending when it goes on. nsenter, its parent, stops and goes on with it."""
        parent = int(status_of(self.pid)['PPid'])
        self.send(signal.SIGSTOP)
        wait_until(lambda: status_of(parent)['State'].startswith('T'), 'nsenter to stop')
        for number in numbers:
            self.send(number)
        os.kill(parent, signal.SIGCONT)

    def has_settled(self):
        """Whether a pass was made since the last start, and no other start is ahead."""
        life = re.split(r'Starting \d+$', '\n'.join(self.log), flags=re.MULTILINE)[-1]
        return 'Object reconstruction complete' in life and 'SIGHUP received' not in life

    def end(self, number=signal.SIGTERM, limit_s=15.0):
        """Signals it and waits; its RunResult."""
        if self._result is None:
            if is_alive(self.pid):
                self.send(number)
            self._result = self._run.wait(limit_s)
        return self._result
