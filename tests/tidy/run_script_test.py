#!/usr/bin/python3
"""What ./run leaves behind when it is stopped, and what it says to a label that does not exist.

A copy of the script in a folder of its own, with other programs in place of apt-get and sudo.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {
    'dpkg-query': 'exit 1',
    'id': 'echo 0',
    'apt-get': 'echo installing >"$HERE/began"; kill -"$SIGNAL" "$PPID"; exit "$RESULT"',
    'env': 'shift; exec "$@"',
}


class RunScript(unittest.TestCase):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix='fragmend-run-'))
        self.addCleanup(shutil.rmtree, self.here)
        self.policy = self.here / 'policy-rc.d'
        text = (ROOT / 'run').read_text()
        text, found = re.subn(r'(?m)(?<![\w/])/usr/sbin/policy-rc\.d', str(self.policy), text)
        self.assertEqual(found, 1)
        (self.here / 'run').write_text(text)
        (self.here / 'bin').mkdir()
        (self.here / 'tmp').mkdir()
        for name, line in PROGRAMS.items():
            program = self.here / 'bin' / name
            program.write_text(f'#!/bin/bash\n{line}\n')
            program.chmod(0o755)

    def run_it(self, *words, sent=0, result=0):
        environment = dict(os.environ, HERE=str(self.here), SIGNAL=str(int(sent)),
                           RESULT=str(result), TMPDIR=str(self.here / 'tmp'),
                           PATH=f'{self.here}/bin:{os.environ["PATH"]}')
        return subprocess.run(['/bin/bash', self.here / 'run', *words], env=environment, text=True,
                              capture_output=True, timeout=60, check=False)

    def left_behind(self):
        return [path.name for path in (self.here / 'tmp').iterdir()] + (
            [self.policy.name] if self.policy.exists() else [])

    def test_an_installation_that_ends_leaves_nothing(self):
        for result in (0, 100):
            done = self.run_it('setup', result=result)
            self.assertEqual(done.returncode, result, done.stderr)
            self.assertTrue((self.here / 'began').exists())
            self.assertEqual(self.left_behind(), [])

    def test_nor_does_one_that_is_stopped(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            done = self.run_it('setup', sent=number)
            self.assertEqual(done.returncode, 128 + number, done.stderr)
            self.assertEqual(self.left_behind(), [])

    def test_what_a_killed_run_left_is_removed_by_the_next(self):
        self.run_it('setup', sent=signal.SIGKILL)
        self.assertTrue(self.policy.exists())
        self.assertTrue(os.access(self.policy, os.X_OK))
        self.run_it('setup')
        self.assertFalse(self.policy.exists())

    def test_the_policy_of_somebody_else_stays(self):
        self.policy.write_text('#!/bin/sh\nexit 101\n')
        self.run_it('setup')
        self.assertEqual(self.policy.read_text(), '#!/bin/sh\nexit 101\n')

    def test_an_unknown_label_is_no_success(self):
        done = self.run_it('test', 'TYPO')
        self.assertEqual(done.returncode, 2)
        self.assertIn("'TYPO'", done.stderr)
        self.assertNotIn('passed', done.stdout)
        self.assertFalse((self.here / 'began').exists())


if __name__ == '__main__':
    unittest.main()
