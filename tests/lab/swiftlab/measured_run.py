"""Runs commands to their end and takes their wall time, CPU time and peak memory."""

import dataclasses
import os
import subprocess
import tempfile
import threading
import time

_STARTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'starter.py')


@dataclasses.dataclass
class RunResult:
    """What one or more commands cost. CPU and peak memory include descendants that were waited for.

    For several commands: CPU is the sum, `peak_rss_kib` the largest single process. The peak is
    never below the 8 MiB of the process that starts a command.
    """

    exit_code: int
    wall_s: float
    user_s: float
    system_s: float
    peak_rss_kib: int
    output: str
    timed_out: bool = False

    @property
    def cpu_s(self):
        return self.user_s + self.system_s


class MeasuredRun:
    """One command under way, both its outputs going to one temporary file."""

    def __init__(self, argv):
        self._output = tempfile.TemporaryFile()
        self._report, report = os.pipe()
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            ['/usr/bin/python3', '-IS', _STARTER, str(report), *argv], stdin=subprocess.DEVNULL,
            stdout=self._output, stderr=subprocess.STDOUT, pass_fds=[report])
        os.close(report)
        self._timed_out = False

    def wait(self, timeout_s=600.0):
        """Waits for the end; past the limit the command is killed and `timed_out` is set."""
        timer = threading.Timer(timeout_s, self._kill)
        timer.start()
        try:
            with open(self._report, 'rb') as report:
                told = report.read().split()
            self._process.wait()
        finally:
            timer.cancel()
        self._output.seek(0)
        output = self._output.read().decode('utf-8', 'replace')
        self._output.close()
        if not told:
            return RunResult(self._process.returncode, time.monotonic() - self._started, 0.0, 0.0,
                             0, output, self._timed_out)
        wall_s, user_s, system_s = map(float, told[1:4])
        return RunResult(os.waitstatus_to_exitcode(int(told[0])), wall_s, user_s, system_s,
                         int(told[4]), output, self._timed_out)

    def _kill(self):
        self._timed_out = True
        self._process.kill()


def combine(results):
    """The cost of commands that ran side by side."""
    return RunResult(exit_code=max((abs(result.exit_code) for result in results), default=0),
                     wall_s=max(result.wall_s for result in results),
                     user_s=sum(result.user_s for result in results),
                     system_s=sum(result.system_s for result in results),
                     peak_rss_kib=max(result.peak_rss_kib for result in results),
                     output='\n'.join(result.output for result in results),
                     timed_out=any(result.timed_out for result in results))
