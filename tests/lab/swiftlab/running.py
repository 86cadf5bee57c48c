"""Lab operations that run Swift's own programs, or others, against the lab."""

import re

from .measured_run import combine

SWIFT_RECONSTRUCTOR = '/usr/bin/swift-object-reconstructor'
_QUARANTINED = re.compile(r'Quarantined object')


class RunOperations:
    """Mixed into Lab."""

    def reconstruct_swift(self, node, *arguments, timeout_s=600.0):
        """Runs Swift's reconstructor once for one server; a RunResult whose output is its log."""
        return self.run([SWIFT_RECONSTRUCTOR, self.layout.node(node).conf, 'once', '-v',
                         *arguments], timeout_s)

    def reconstruct(self, argv, nodes=None, arguments=('--once',), timeout_s=600.0):
        """Runs a reconstructor at several servers (default all) side by side.

        Each is started as `argv... CONF arguments...`. Returns ({node: RunResult}, their sum).
        """
        numbers = list(nodes or range(1, self.spec.servers + 1))
        started = {number: self.popen([*argv, self.layout.node(number).conf, *arguments])
                   for number in numbers}
        results = {number: run.wait(timeout_s) for number, run in started.items()}
        return results, combine(list(results.values()))

    def reconstruct_swift_all(self, nodes=None, timeout_s=600.0):
        """Runs Swift's reconstructor once at several servers side by side, like reconstruct()."""
        return self.reconstruct([SWIFT_RECONSTRUCTOR], nodes, ('once', '-v'), timeout_s)

    def audit(self, node, timeout_s=600.0):
        """Runs Swift's auditor once over a server's devices; returns (quarantined, RunResult)."""
        result = self.run(['/usr/bin/swift-object-auditor', self.layout.node(node).conf, 'once',
                           '-v'], timeout_s)
        return len(_QUARANTINED.findall(result.output)), result

    def object_info(self, device, relative_path):
        """What swift-object-info says about one file of a device."""
        path = f'{self.layout.mount_point(device)}/{relative_path}'
        return self.run(['/usr/bin/swift-object-info', path]).output
