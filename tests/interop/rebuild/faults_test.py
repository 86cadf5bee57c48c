#!/usr/bin/python3
"""Servers that misbehave on the wire while a wiped device is rebuilt."""

from support import case, objects, program

TARGET, CULPRIT = 'd1', 'd3'


class Faults(case.InteropCase):
    """4+2 over six servers with one device each, all traffic through the fault proxy."""

    options = {'servers': 6, 'devices': 6, 'part_power': 1, 'segment_bytes': 65536,
               'fault_proxy': True, 'replication_concurrency_per_device': 8,
               'object_conf': {'object-reconstructor': {'node_timeout': 5, 'http_timeout': 8}}}

    @classmethod
    def fill(cls):
        policy = cls.lab.spec.policy()
        cls.lab.write(objects.peculiar(policy)[-14:] + objects.sized(
            policy, [0, 1, 1000, 65535, 65536, 65537, 200000, 400000, 500000]))

    def setUp(self):
        super().setUp()
        self.lab.wipe(TARGET)
        self.addCleanup(self.lab.clear_faults)

    def culprit_address(self):
        node = self.lab.layout.node_of(CULPRIT)
        return f'{node.ring_ip}:{node.port}/{CULPRIT}'

    def fault_at_culprit(self, **rule):
        self.lab.fault(server=self.lab.layout.node_of(CULPRIT).number, **rule)

    # Survivors.

    def test_survivor_answers_503(self):
        self.fault_at_culprit(action='status', verb='GET', status=503)
        self.rebuild()

    def test_survivor_never_answers(self):
        self.fault_at_culprit(action='hang', verb='GET')
        self.rebuild()

    def test_survivor_drops_the_connection(self):
        self.fault_at_culprit(action='drop', verb='GET')
        self.rebuild()

    @case.fragmend_only('Swift gives up the session with every such survivor')
    def test_survivor_cuts_the_body_short(self):
        self.fault_at_culprit(action='cut', verb='GET', at=200)
        self.rebuild()

    @case.fragmend_only('Swift gives up the session with every such survivor')
    def test_survivor_falls_silent_in_the_body(self):
        self.fault_at_culprit(action='stall', verb='GET', at=200)
        self.rebuild()

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_survivor_flips_a_bit_of_the_payload(self):
        self.flip(at=81)

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_survivor_flips_the_last_bit(self):
        self.flip(at=-1)

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_survivor_flips_a_bit_of_a_later_segment(self):
        self.flip(at=65536 // 4 + 80 + 1000)

    @case.fragmend_only('whether Swift uses the culprit is chance')
    def test_survivor_flips_a_bit_of_the_header(self):
        self.flip(at=4)

    def flip(self, at):
        self.fault_at_culprit(action='flip', verb='GET', at=at)
        passes = self.rebuild()
        if program.IS_SWIFT:
            return
        named = [bad for made in passes for bad in made.bad_survivors()]
        self.assertTrue(named, f'nobody was named\n{self.last_pass.tail()}')
        for bad in named:
            self.assertIn(self.culprit_address(), bad['name'] + bad['object'], bad)
        log = '\n'.join(made.log for made in passes)
        self.assertTrue(any(self.culprit_address() in line for line in log.splitlines()
                            if ' WARNING ' in line or ' ERROR ' in line),
                        f'the log does not name {self.culprit_address()}')

    @case.beyond_swift('it does not look at the bytes it decodes')
    def test_too_many_liars_cannot_make_it_write(self):
        for server in (3, 4, 5):
            self.lab.fault(action='flip', verb='GET', server=server, at=-1)
        self.run_pass()
        self.assert_nothing_wrong(TARGET)
        self.lab.clear_faults()
        self.rebuild()

    def test_frozen_server(self):
        self.lab.freeze(3)
        self.addCleanup(self.lab.thaw, 3)
        self.rebuild(self.before_of(TARGET),
                     nodes=(1, 2, 4, 5, 6), exit_codes=(program.DONE, program.WORK_REMAINS))

    # The receiver.

    def break_receiver(self, **rule):
        """The receiver misbehaves: nothing wrong is written, work remains, later all is well."""
        self.lab.fault(server=self.lab.layout.node_of(TARGET).number, **rule)
        made = self.run_pass()
        self.assert_nothing_wrong(TARGET)
        if not program.IS_SWIFT:
            self.assertIn(program.WORK_REMAINS, made.exit_codes.values(), made.tail())
        self.lab.clear_faults()
        self.rebuild()

    def test_receiver_refuses_hashes(self):
        self.break_receiver(action='status', verb='REPLICATE', status=503)

    def test_receiver_never_tells_hashes(self):
        self.break_receiver(action='hang', verb='REPLICATE')

    def test_receiver_refuses_sessions(self):
        self.break_receiver(action='status', verb='SSYNC', status=503)

    def test_receiver_drops_sessions(self):
        self.break_receiver(action='drop', verb='SSYNC')

    def test_receiver_falls_silent_in_the_wanted_list(self):
        self.break_receiver(action='stall', verb='SSYNC', at=120)

    def test_receiver_closes_in_the_missing_check(self):
        self.break_receiver(action='cut', verb='SSYNC', at=100)

    def test_connection_ends_inside_an_update(self):
        self.break_receiver(action='cut', verb='SSYNC', side='request', at=3000)

    def test_connection_stalls_inside_an_update(self):
        self.break_receiver(action='stall', verb='SSYNC', side='request', at=3000)


if __name__ == '__main__':
    case.main()
