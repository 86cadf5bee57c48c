"""InteropCase: a test class with a lab of its own, whose disks are put back after every test."""

import functools
import sys
import unittest

from lab import Lab, compare  # noqa: F401

from . import disks, program, shuffled_rings

LINES_SHOWN = 12
SKIPPED = 77  # What ctest takes as "skipped" (SKIP_RETURN_CODE).


def beyond_swift(reason):
    """Marks what Swift's own reconstructor gets wrong: with it in place the test must fail."""
    def mark(test):
        if not program.IS_SWIFT:
            return test

        @functools.wraps(test)
        def must_fail(self):
            self.passes_max = 2
            with self.assertRaises(AssertionError, msg=f'Swift passes, but: {reason}'):
                test(self)
        return must_fail
    return mark


def fragmend_only(reason):
    """Marks what cannot be asked of Swift's reconstructor, or what it gets right only by luck."""
    return unittest.skipIf(program.IS_SWIFT, reason)


class InteropCase(unittest.TestCase):
    """Subclasses give `options` (fields of LabSpec and PolicySpec) and `fill`.

    `restores` and `starts` may be switched off where disks are not damaged or servers not needed.
    `before` holds the manifests of all devices as filled: what every rebuild is compared with.
    """

    options = {}
    restores = True
    starts = True
    passes_max = 4

    @classmethod
    def setUpClass(cls):
        options = {'mount_check': True, 'tmpfs': disks.tmpfs_holds_xattrs(), **cls.options}
        cls.lab = Lab(**options).up(start=False)
        cls.addClassCleanup(cls.lab.down)
        shuffled_rings.shuffle(cls.lab)
        if cls.starts:
            cls.lab.start_all()
        cls.fill()
        cls.before = disks.manifests(cls.lab)
        if cls.restores:
            cls._saved = disks.SavedDisks(cls.lab)

    @classmethod
    def fill(cls):
        raise NotImplementedError

    def setUp(self):
        self.last_pass = None
        if self.restores:
            self.addCleanup(self._saved.restore)

    # Acting.

    def run_pass(self, nodes=None, arguments=(), options=None):
        self.last_pass = program.run_pass(self.lab, nodes, arguments, options)
        return self.last_pass

    def rebuild(self, expected=None, nodes=None, exit_codes=(program.DONE,),
                ignore=lambda path: False):
        """Runs passes until the devices hold what is `expected` (default: what was filled in).

        `exit_codes` are those that every node must have in the last pass. Returns the passes.
        """
        passes = []
        while len(passes) < self.passes_max:
            passes.append(self.run_pass(nodes))
            lines = self.differences(expected, ignore)
            calm = program.IS_SWIFT or set(passes[-1].exit_codes.values()) <= set(exit_codes)
            if calm and not lines:
                return passes
        if lines:
            self.fail(f'{len(lines)} differences after {len(passes)} passes:\n'
                      + '\n'.join(lines[:LINES_SHOWN]) + f'\n{passes[-1].tail()}')
        self.fail(f'all files are right, but the exit codes are {passes[-1].exit_codes}, not '
                  f'{exit_codes}\n{passes[-1].tail()}')

    def passes_until_done(self, options=None):
        """Runs passes until every node says that nothing remains; the last one.

        One pass may not be enough: Swift's PUT fails when a hash run removes the directories that
        it has just made, and that session is repeated in the next pass.
        """
        for _ in range(self.passes_max):
            made = self.run_pass(options=options)
            if set(made.exit_codes.values()) == {program.DONE}:
                return made
        self.fail(f'work remains after {self.passes_max} passes\n{made.tail()}')

    def passes_until_as_before(self, by_swift):
        """Runs passes, of Swift's own reconstructor or of the one under test, until all is back."""
        for _ in range(self.passes_max):
            self.last_pass = program.run_pass(self.lab, program_is_swift=by_swift)
            lines = self.differences(by_swift=by_swift)
            if not lines:
                return
        self.fail('\n'.join([f'swift={by_swift}: {len(lines)} differ', *lines[:LINES_SHOWN],
                             self.last_pass.tail()]))

    # Looking.

    def differences(self, expected=None, ignore=lambda path: False, by_swift=program.IS_SWIFT):
        """How the devices of `expected` differ from it now, as lines of text."""
        expected = self.before if expected is None else expected
        return [f'{device}: {line}' for device, manifest in expected.items()
                for line in self.compare(manifest, self.lab.snapshot(device), ignore, by_swift)]

    @staticmethod
    def compare(expected, actual, ignore=lambda path: False, by_swift=program.IS_SWIFT):
        """compare() of the lab, lenient where Swift's own sender spoils what is not ASCII."""
        return compare(expected, actual, ignore, garbled_text_ok=by_swift)

    def assert_nothing_wrong(self, device):
        """Files may be missing from a device, but whatever is there is as it was."""
        wrong = [line for line in self.differences(self.before_of(device))
                 if not line.endswith(': missing')]
        self.assertEqual([], wrong, self.last_pass.tail() if self.last_pass else '')

    def assert_as(self, expected=None, ignore=lambda path: False):
        lines = self.differences(expected, ignore)
        if lines:
            tail = self.last_pass.tail() if self.last_pass else ''
            self.fail(f'{len(lines)} differences:\n' + '\n'.join(lines[:LINES_SHOWN])
                      + f'\n{tail}')

    def before_of(self, *devices):
        return {device: self.before[device] for device in devices}

    @property
    def policy(self):
        return self.lab.spec.policy()


@functools.cache
def unable():
    """Why no lab can run here, or None."""
    try:
        Lab(servers=1, devices=1, policies=_least_policies()).up(start=False).down()
    except (RuntimeError, OSError) as error:
        return str(error).splitlines()[0]
    return None


def _least_policies():
    from swiftlab.spec import PolicySpec
    return [PolicySpec(index=0, name='replicated', replicas=1, default=True)]


def main():
    """Runs the tests of the calling file; exits with SKIPPED where no lab can run."""
    reason = unable()
    if reason:
        print(f'skipped: no lab can run here: {reason}', file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
