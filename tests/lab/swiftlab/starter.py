"""Runs a command and tells what it used: `python3 -IS starter.py FD COMMAND...`.

A process of its own, and a small one, because a child begins with the peak memory of its parent: the
peak of a command started by a large test would be that of the test. Imports next to nothing.
"""

import os
import sys
import time


def main():
    report, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        # Whoever kills this process at the time limit means the command.
        os.execvp('setpriv', ['setpriv', '--pdeathsig', 'KILL', *command])
    _pid, status, usage = os.wait4(pid, 0)
    told = (status, time.monotonic() - started, usage.ru_utime, usage.ru_stime, usage.ru_maxrss)
    os.write(report, ' '.join(map(str, told)).encode())


main()
