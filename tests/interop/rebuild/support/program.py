"""The reconstructor under test, and what one pass of it said.

FRAGMEND_UNDER_TEST names the program (default: build/fragmend of this tree). The word `swift` puts
Swift's own reconstructor in its place: that proves the tests, as far as Swift itself can pass them.
"""

import json
import os
import re

from . import ROOT

PROGRAM = os.environ.get('FRAGMEND_UNDER_TEST') or os.path.join(ROOT, 'build', 'fragmend')
IS_SWIFT = PROGRAM == 'swift'
PASS_LIMIT_S = 240.0

# Swift's PUT fails when a hash run removes the directories that it has just made.
REFUSED = r'/(?:{devices})/\d+ Unexpected response: .*UPDATES: \d+ failures to '

DONE, USAGE, WORK_REMAINS, UNRECOVERABLE = 0, 2, 3, 5


class PassFailed(AssertionError):
    """A pass ended in a way that no pass may end: a crash, a refusal, a timeout."""


class Pass:
    """One run at some servers, side by side: {node: RunResult}, and the summaries they printed."""

    def __init__(self, results):
        self.results = results
        self.summaries = {node: summary_of(result.output) for node, result in results.items()}

    @property
    def exit_codes(self):
        return {node: result.exit_code for node, result in self.results.items()}

    @property
    def log(self):
        return '\n'.join(f'--- node {node}, exit {result.exit_code}\n{result.output}'
                         for node, result in self.results.items())

    def total(self, key):
        """The sum of a number of the summaries."""
        return sum(summary[key] for summary in self.summaries.values())

    def is_refused_only(self, devices):
        """Whether each node that is not done had a session with the devices end in refused PUTs."""
        pattern = re.compile(REFUSED.format(devices='|'.join(devices)))
        return all(result.exit_code == DONE
                   or (result.exit_code == WORK_REMAINS and pattern.search(result.output))
                   for result in self.results.values())

    def bad_survivors(self):
        """All {name, object, reason} that the summaries name."""
        return [bad for summary in self.summaries.values() for bad in summary['bad_survivors']]

    def tail(self, lines=10):
        """Every node's last warnings and errors, and the end of its log: for failed tests."""
        return '\n'.join('\n'.join([f'--- node {node}, exit {result.exit_code}']
                                   + _telling(result.output.splitlines(), lines))
                         for node, result in self.results.items())


def _telling(output, count):
    early = [line for line in output[:-count] if ' WARNING ' in line or ' ERROR ' in line]
    return [line[:400] for line in early[-count:] + output[-count:]]


def summary_of(output):
    """The JSON object that --json printed among the log lines; {} when there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith('{'):
            return json.loads(line)
    return {}


def command():
    """The program's command line up to the configuration file."""
    return ['/usr/bin/swift-object-reconstructor'] if IS_SWIFT else [PROGRAM, 'reconstructor']


def run_pass(lab, nodes=None, arguments=(), options=None, program_is_swift=IS_SWIFT):
    """Runs the program under test once at the given servers (default all), with `options` of its
    configuration; a Pass."""
    if program_is_swift:
        results, _sum = lab.reconstruct(['/usr/bin/swift-object-reconstructor'], nodes,
                                        ('once', '-v', *arguments), PASS_LIMIT_S, options=options)
        return Pass(results)
    results, _sum = lab.reconstruct(command(), nodes, ('--once', '-v', '--json', *arguments),
                                    PASS_LIMIT_S, options=options)
    made = Pass(results)
    for node, result in results.items():
        if result.timed_out:
            raise PassFailed(f'node {node} did not end in {PASS_LIMIT_S} s\n{made.tail()}')
        if result.exit_code not in (DONE, WORK_REMAINS, UNRECOVERABLE):
            raise PassFailed(f'node {node} ended with {result.exit_code}\n{made.tail()}')
        if not made.summaries[node]:
            raise PassFailed(f'node {node} printed no summary\n{made.tail()}')
    return made


def run_swift_pass(lab, nodes=None):
    """Runs Swift's own reconstructor once, whatever is under test."""
    return run_pass(lab, nodes, program_is_swift=True)
