#!/usr/bin/python3
"""Failing disks under SYNC jobs, and receivers whose disks are full.

Single system calls of the reconstructor fail at one path of its own disk (`strace` injects them): what
that path stands for is counted, named and left alone, everything else is rebuilt, the exit code says
that work remains, and the next pass finishes it.
"""

import collections
import os
import re
import shutil
import unittest

from support import case, disks, objects, program, shuffled_rings

LISTING = ('getdents', 'getdents64')
READING = ('read', 'pread64', 'readv', 'preadv', 'preadv2')
METADATA = ('getxattr', 'lgetxattr', 'fgetxattr')
OPENING = ('open', 'openat', 'openat2')
RENAMING = ('rename', 'renameat', 'renameat2')
LOCKING = ('flock',)

Fault = collections.namedtuple('Fault', 'name at syscalls error stops counted times',
                               defaults=(1,))
# `at`: where system calls fail, None for everywhere, because strace knows no target of a rename;
# `stops`: what is not rebuilt; `counted`: where the summary counts it, and how often. Kept hashes that
# cannot be read are made anew; when a test begins there are none, so they have to be written.
FAULTS = [
    Fault('data folder cannot be listed', 'data', LISTING, 'EIO', 'device', 'failed_partitions'),
    Fault('partition cannot be listed', 'partition', LISTING, 'EIO', 'partition',
          'failed_partitions'),
    Fault('partition cannot be opened', 'partition', OPENING, 'EIO', 'partition',
          'failed_partitions'),
    Fault('suffix cannot be listed', 'suffix', LISTING, 'EIO', 'object', 'failed_partitions'),
    Fault('object folder cannot be listed', 'folder', LISTING, 'EIO', 'object',
          'failed_partitions'),
    Fault('object folder needs cleaning', 'folder', LISTING, 'EUCLEAN', 'object',
          'failed_partitions'),
    Fault('metadata cannot be read', 'fragment', METADATA, 'EIO', 'object', 'failed_objects'),
    Fault('metadata need cleaning', 'fragment', METADATA, 'EUCLEAN', 'object', 'failed_objects'),
    Fault('metadata are not there', 'fragment', METADATA, 'ENODATA', 'object', 'failed_objects'),
    Fault('fragment cannot be opened', 'fragment', OPENING, 'EIO', 'object', 'failed_objects'),
    Fault('kept hashes cannot be read', 'hashes.pkl', READING, 'EIO', 'nothing', None),
    Fault('notes on hashes cannot be read', 'hashes.invalid', READING, 'EIO', 'nothing', None),
    Fault('no room for kept hashes', None, RENAMING, 'ENOSPC', 'device', 'failed_partitions', 2),
    Fault('kept hashes cannot be written', None, RENAMING, 'EROFS', 'device', 'failed_partitions',
          2),
    Fault('lock file cannot be opened', '.lock', OPENING, 'EROFS', 'partition',
          'failed_partitions'),
    Fault('lock cannot be taken', '.lock', LOCKING, 'EIO', 'partition', 'failed_partitions'),
]
LINES_SAID = re.compile(r' (?:WARNING|ERROR|CRITICAL) ')

Lost = collections.namedtuple('Lost', 'hash partition target path')


class FailingDisk(case.InteropCase):
    """Device d1 fails; its partners have lost three objects that d1 can rebuild for them.

    `bad` and `beside` are of one partition, in suffixes of their own; `elsewhere` is of another one.
    """

    options = {'servers': 3, 'devices': 6, 'part_power': 1, 'segment_bytes': 65536}

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [1000 * number for number in range(12)]
                                    + [700_000, 700_001]))

    def setUp(self):
        super().setUp()
        here = [path for path in self.before['d1'] if disks.DATA_FILE.match(path)
                and self.before['d1'][path]['bytes'] > 0]
        first = [path for path in here if path.split('/')[1] == '0']
        other = [path for path in here if path.split('/')[1] == '1']
        suffixes = {path.split('/')[2]: path for path in first}
        self.assertGreater(len(suffixes), 1)
        paths = list(suffixes.values())
        self.bad, self.beside, self.elsewhere = (
            self.lose(path) for path in (paths[0], paths[1], other[0]))

    def lose(self, path):
        """A partner of d1 loses its fragment of the object whose fragment d1 keeps at `path`."""
        match = disks.DATA_FILE.match(path)
        row = shuffled_rings.devices_of(self.lab, int(match['partition']))
        target = row[(row.index('d1') + 1) % len(row)]
        fragment = next(
            fragment for fragment in disks.fragments_by_object(self.before)[
                match['data_dir'], match['hash']] if fragment.device == target)
        disks.lose(self.lab, fragment)
        return Lost(match['hash'], match['partition'], target, path)

    def inside(self, path):
        return f'{self.lab.layout.mount_point("d1")}/{path}'

    def run_pass_with(self, prefix=()):
        results, _sum = self.lab.reconstruct(
            [*prefix, *program.command()], [1], ('--once', '-v', '--json', '-d', 'd1'),
            program.PASS_LIMIT_S)
        self.last_pass = program.Pass(results)
        return self.last_pass

    def failing(self, error, syscalls, path):
        names = ','.join('?' + name for name in syscalls)
        where = ['-P', self.inside(path)] if path else []
        return ['strace', '-f', '-qqq', '-o', '/dev/null', '-e', f'trace={names}', '-e',
                f'inject={names}:error={error}', *where, '--']

    def said(self):
        return [line for line in self.last_pass.log.splitlines() if LINES_SAID.search(line)]

    def lost_still(self):
        """Which of the lost objects are not back; whatever else is not as it was is a failure."""
        lines = self.differences()
        still = {lost for lost in (self.bad, self.beside, self.elsewhere)
                 for line in lines if lost.hash in line and line.startswith(lost.target + ':')}
        strange = [line for line in lines if not line.endswith(': missing')
                   or not any(lost.hash in line and line.startswith(lost.target + ':')
                              for lost in still)]
        self.assertEqual([], strange, self.last_pass.tail(40))
        return still

    def play(self, fault):
        """The pass with the fault, and the one after it."""
        folder = os.path.dirname(self.bad.path)
        places = {'data': 'objects-1', 'partition': 'objects-1/0', 'suffix': os.path.dirname(folder),
                  'folder': folder, 'fragment': self.bad.path,
                  **{name: f'objects-1/0/{name}' for name in ('hashes.pkl', 'hashes.invalid',
                                                              '.lock')}}
        path = places.get(fault.at)
        self.run_pass_with(self.failing(fault.error, fault.syscalls, path))
        made = self.last_pass
        still = {'nothing': set(), 'object': {self.bad}, 'partition': {self.bad, self.beside},
                 'device': {self.bad, self.beside, self.elsewhere}}[fault.stops]
        self.assertEqual(still, self.lost_still(), made.tail(40))
        self.assertEqual({1: program.WORK_REMAINS if still else program.DONE}, made.exit_codes,
                         made.tail(40))
        if fault.counted:
            self.assertEqual(fault.times, sum(made.summaries[1][fault.counted].values()),
                             made.summaries[1])
        if still:
            lines = [line for line in self.said() if self.inside(path or '') in line]
            self.assertEqual(fault.times, len(lines), f'{path} is named so:\n' + '\n'.join(lines))
        self.run_pass_with()
        self.assertEqual({1: program.DONE}, self.last_pass.exit_codes, self.last_pass.tail(40))
        self.assert_as()

    # What Swift's auditor and its servers quarantine when they meet it, is quarantined here, too.

    def assert_quarantined(self, syscalls, path, error):
        self.run_pass_with(self.failing(error, syscalls, path))
        own = self.inside(os.path.dirname(self.bad.path))
        lines = [line for line in self.said() if 'Quarantined' in line and own in line]
        self.assertEqual(1, len(lines), self.last_pass.tail(40))
        kept = [path for path in self.lab.snapshot('d1') if path.startswith('quarantined/')
                and path.endswith(os.path.basename(self.bad.path))]
        self.assertEqual(1, len(kept), kept)
        self.rebuild()

    def test_object_folder_that_answers_enodata_is_quarantined(self):
        self.assert_quarantined(LISTING, os.path.dirname(self.bad.path), 'ENODATA')

    def test_fragment_whose_bytes_cannot_be_read_is_replaced_and_quarantined(self):
        self.assert_quarantined(READING, self.bad.path, 'EIO')
        self.assertEqual([], self.differences())

    def test_read_only_disk(self):
        """It cannot keep what it finds out; the others rebuild what it would have."""
        point = self.lab.layout.mount_point('d1')
        disks.forget_hashes(self.lab, 'd1', self.bad.path)
        self.lab.run(['mount', '-o', 'remount,bind,ro', point])
        try:
            self.run_pass_with()
            self.assertEqual({1: program.WORK_REMAINS}, self.last_pass.exit_codes)
            self.assertEqual({self.bad, self.beside, self.elsewhere}, self.lost_still())
            for node in (2, 3):
                program.run_pass(self.lab, [node])
            self.assertEqual(set(), self.lost_still())
        finally:
            self.lab.run(['mount', '-o', 'remount,bind,rw', point])
        self.rebuild()


def _named(fault):
    def test(self):
        self.play(fault)
    return test


for _fault in FAULTS:
    setattr(FailingDisk, 'test_' + _fault.name.replace(' ', '_'), _named(_fault))


class FullReceiver(case.InteropCase):
    """Swift's server of a device on which nothing, or only little, has room."""

    options = {'servers': 3, 'devices': 6, 'part_power': 1, 'segment_bytes': 65536,
               'tmpfs_mib': 16}
    starts = False
    served_by = None
    target = 'd2'

    @classmethod
    def setUpClass(cls):
        if not disks.tmpfs_holds_xattrs():
            raise unittest.SkipTest('a disk that gets full has to be in memory')
        super().setUpClass()
        for node in cls.lab.layout.nodes:
            cls.lab.start(node.number, cls.served_by)

    @classmethod
    def fill(cls):
        cls.lab.write(objects.sized(cls.lab.spec.policy(), [1000 * number for number in range(1, 9)]
                                    + [4_000_000, 4_000_001]))

    def fill_up(self, but=0):
        """Leaves so many bytes free on the target."""
        path = os.path.join(self.lab.device_path(self.target), 'filler')
        stat = os.statvfs(os.path.dirname(path))
        with open(path, 'wb') as filler:
            os.posix_fallocate(filler.fileno(), 0, stat.f_bavail * stat.f_frsize - but)

    def empty_again(self):
        os.unlink(os.path.join(self.lab.device_path(self.target), 'filler'))

    def missing(self):
        """Names of what the target lacks; nothing else may have changed anywhere."""
        lines = self.differences()
        strange = [line for line in lines
                   if not (line.startswith(self.target + ':') and line.endswith(': missing'))]
        self.assertEqual([], strange, self.last_pass.tail(40) if self.last_pass else '')
        return {line.split(': ')[1] for line in lines}

    def lose_all(self):
        for fragment in [one for found in disks.fragments_by_object(self.before).values()
                         for one in found if one.device == self.target]:
            disks.lose(self.lab, fragment)
        return self.missing()

    def assert_pass_names_the_target(self):
        made = self.run_pass()
        node = self.lab.layout.node_of(self.target)
        name = f'{node.ring_ip}:{node.replication_port}/{self.target}'
        self.assertIn(program.WORK_REMAINS, made.exit_codes.values(), made.tail())
        for number, code in made.exit_codes.items():
            named = [line for line in made.results[number].output.splitlines()
                     if LINES_SAID.search(line) and name in line]
            self.assertEqual(code == program.WORK_REMAINS, bool(named), made.tail(40))
            # Swift's server tells of one session for each partition and partner.
            self.assertLessEqual(len(named), 2 * 2 * 3, made.tail(40))

    def test_nothing_has_room(self):
        lost = self.lose_all()
        self.fill_up()
        self.assert_pass_names_the_target()
        self.assertEqual(lost, self.missing())
        self.empty_again()
        self.rebuild()

    def test_large_fragments_have_no_room(self):
        lost = self.lose_all()
        self.fill_up(but=700_000)
        large = {path for path in lost if self.before[self.target][path]['bytes'] > 1_000_000}
        for _ in range(self.passes_max):
            self.assert_pass_names_the_target()
            missing = self.missing()
            self.assertLessEqual(large, missing)
            if missing == large:
                break
        self.assertEqual(large, missing)
        self.empty_again()
        self.rebuild()

    def test_reverts_keep_what_was_not_taken(self):
        """A fragment of the full device lies at another one, which must not let go of it."""
        found = next(found for found in disks.fragments_by_object(self.before).values()
                     if self.before[self.target][next(
                         one.path for one in found if one.device == self.target)]['bytes'] > 10 ** 6)
        own = next(one for one in found if one.device == self.target)
        other = next(one for one in found if one.device == 'd1')
        stray = os.path.join(self.lab.device_path('d1'), os.path.dirname(other.path),
                             os.path.basename(own.path))
        shutil.move(os.path.join(self.lab.device_path(self.target), own.path), stray)
        for one in (own, other):
            disks.forget_hashes(self.lab, one.device, one.path)
        self.fill_up(but=100_000)
        made = self.run_pass()
        self.assertEqual(program.WORK_REMAINS, made.exit_codes[1], made.tail())
        self.assertGreater(made.summaries[1]['handoffs_remaining'], 0, made.summaries[1])
        self.assertTrue(os.path.exists(stray), made.tail(40))
        self.empty_again()
        self.rebuild()
        self.assertFalse(os.path.exists(stray), self.last_pass.tail(40))


class FullReceiverOfOurs(FullReceiver):
    """The same with Fragmend's server."""

    served_by = [program.PROGRAM, 'server']


if __name__ == '__main__':
    case.main()
