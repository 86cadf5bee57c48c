#!/usr/bin/python3
"""What Swift finds after a rebuild: a clean audit, nothing left to do, the files it would make."""

from support import case, disks, objects, program

DEVICE, NODE = 'd3', 3


class Afterwards(case.InteropCase):
    """4+2 over four servers; the fault proxy only counts who sends what."""

    options = {'servers': 4, 'devices': 8, 'part_power': 2, 'segment_bytes': 65536,
               'fault_proxy': True}

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.peculiar(policy)
                      + objects.sized(policy, objects.boundary_sizes(policy, thorough=False)))
        cls.merged = objects.merged(policy)

    def setUp(self):
        super().setUp()
        self.lab.wipe(DEVICE)

    def sessions_of(self, one_pass):
        """Runs a pass and returns (its SSYNC requests, itself).

        All suffixes are hashed anew first: a Swift server that hashes a suffix between the arrival
        and the commit of a fragment keeps the wrong hash, and would be offered the suffix for ever.
        """
        disks.forget_all_hashes(self.lab)
        self.lab.traffic(reset=True)
        made = one_pass()
        return sum(verbs.get('SSYNC', 0) for verbs in self.lab.traffic().values()), made

    def test_auditor_finds_nothing(self):
        self.rebuild()
        quarantined, result = self.lab.audit(NODE)
        self.assertEqual(0, quarantined, result.output)
        self.assert_as()

    def test_object_info_reads_rebuilt_files(self):
        self.rebuild()
        for path in self.lab.object_files(DEVICE)[::12]:
            told = self.lab.object_info(DEVICE, path)
            self.assertIn(f"ETag: {self.before[DEVICE][path]['metadata']['ETag']} (valid)", told)

    def test_swift_has_nothing_to_do_afterwards(self):
        self.rebuild()
        sessions, made = self.sessions_of(lambda: program.run_swift_pass(self.lab))
        self.assertEqual(0, sessions, made.tail())
        self.assert_as()

    def test_nothing_to_do_after_swift(self):
        self.passes_until_as_before(by_swift=True)
        held = disks.manifests(self.lab)
        sessions, made = self.sessions_of(self.run_pass)
        self.assertEqual(0, sessions, made.tail())
        self.assert_as(held)
        if not program.IS_SWIFT:
            self.assertEqual(0, made.total('fragments_rebuilt'), made.tail())
            self.assertEqual({program.DONE}, set(made.exit_codes.values()), made.tail())

    def test_second_pass_rebuilds_nothing(self):
        self.rebuild()
        made = self.run_pass()
        self.assert_as()
        if not program.IS_SWIFT:
            self.assertEqual(0, made.total('fragments_rebuilt'), made.tail())
            self.assertFalse(any(summary['work_remains'] for summary in made.summaries.values()))
        sessions, made = self.sessions_of(self.run_pass)
        self.assertEqual(0, sessions, made.tail())

    def test_merges_metadata_files_as_swift_does(self):
        self.lab.write(self.merged)
        self.lab.wipe(DEVICE)
        made_by_swift = self.settled(lambda: program.run_swift_pass(self.lab))
        self.lab.wipe(DEVICE)
        ours = self.settled(self.run_pass)
        self.assertEqual([], self.compare(ours, made_by_swift, by_swift=True),
                         self.last_pass.tail())

    def settled(self, one_pass):
        """What the device holds after passes of which the last one changed nothing."""
        held = None
        for _ in range(1 + self.passes_max):
            one_pass()
            held, before = self.lab.snapshot(DEVICE), held
            if before is not None and not case.compare(before, held):
                return held
        self.fail('pass after pass changes something')


if __name__ == '__main__':
    case.main()
