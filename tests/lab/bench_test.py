#!/usr/bin/python3
"""What the benches on a lab do beside measuring: where they make it, and when results are kept."""

import json
import os
import sys
import tempfile
import unittest
from unittest import mock

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [_HERE, os.path.join(_ROOT, 'bench', 'rebuild'), os.path.join(_ROOT, 'bench', 'idle')]

import bench  # noqa: E402
import contest  # noqa: E402
import idle  # noqa: E402


class Benches(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def results(self):
        found = []
        for name in os.listdir(self.folder):
            with open(os.path.join(self.folder, name), encoding='utf-8') as file:
                found.append(json.load(file))
        return found

    def test_a_case_that_fails_costs_the_others_nothing(self):
        def run_case(_options, case):
            if case.name == 'large':
                raise contest.RaceFailed('it hangs')
            return {'case': case.name, 'rounds': [{'whole': True}]}

        words = ['bench', '--fragmend', '/bin/true', '--results', self.folder]
        with mock.patch.object(sys, 'argv', words), mock.patch.object(bench, 'run_case', run_case):
            with self.assertRaises(contest.RaceFailed):
                bench.main()
        self.assertEqual([[case['case'] for case in result['cases']] for result in self.results()],
                         [['small']])

    def test_all_cases_are_one_file(self):
        def run_case(_options, case):
            return {'case': case.name, 'rounds': [{'whole': True}]}

        words = ['bench', '--fragmend', '/bin/true', '--results', self.folder]
        with mock.patch.object(sys, 'argv', words), mock.patch.object(bench, 'run_case', run_case):
            self.assertEqual(bench.main(), 0)
        self.assertEqual([[case['case'] for case in result['cases']] for result in self.results()],
                         [['small', 'large']])

    def test_labs_of_a_named_folder_are_removed_and_never_met_again(self):
        below = os.path.join(self.folder, 'disk')
        for _again in range(2):
            options = bench.parse(['--dir', below])
            os.makedirs(below, exist_ok=True)
            lab = bench.make_lab(options, contest.Case('small', 16384, 1))
            self.assertEqual(os.path.dirname(lab.directory), below)
            self.assertFalse(os.path.exists(lab.layout.state_file))
            os.makedirs(lab.directory, exist_ok=True)
            with open(lab.layout.state_file, 'w', encoding='utf-8') as state:
                state.write('{}')
            lab.down()
            self.assertEqual(os.listdir(below), [])

    def test_so_is_the_lab_of_the_idle_bench(self):
        made = []

        class Seen(idle.Lab):
            def up(self, start=True):
                made.append(self.directory)
                raise idle.LabError('enough')

        below = os.path.join(self.folder, 'disk')
        with mock.patch.object(idle, 'Lab', Seen):
            for _again in range(2):
                with self.assertRaises(idle.LabError):
                    idle.run(idle.parse(['--dir', below]))
        self.assertEqual([os.path.dirname(path) for path in made], [below, below])
        self.assertEqual(len(set(made)), 2)


if __name__ == '__main__':
    unittest.main()
