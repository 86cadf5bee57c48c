"""Lab operations that run Swift's own programs, or others, against the lab."""

import hashlib
import json
import re

from . import conf_files
from .measured_run import combine

SWIFT_RECONSTRUCTOR = '/usr/bin/swift-object-reconstructor'
_QUARANTINED = re.compile(r'Quarantined object')


class RunOperations:
    """Mixed into Lab."""

    def reconstruct_swift(self, node, *arguments, timeout_s=600.0, options=None):
        """Runs Swift's reconstructor once for one server; a RunResult whose output is its log."""
        return self.run([SWIFT_RECONSTRUCTOR, self._reconstructor_conf(node, options), 'once',
                         '-v', *arguments], timeout_s)

    def reconstruct(self, argv, nodes=None, arguments=('--once',), timeout_s=600.0, options=None):
        """Runs a reconstructor at several servers (default all) side by side.

        Each is started as `argv... CONF arguments...`, where `options` change the section
        [object-reconstructor] of CONF for this run. Returns ({node: RunResult}, their sum).
        """
        numbers = list(nodes or range(1, self.spec.servers + 1))
        confs = {number: self._reconstructor_conf(number, options) for number in numbers}
        started = {number: self.popen([*argv, confs[number], *arguments]) for number in numbers}
        results = {number: run.wait(timeout_s) for number, run in started.items()}
        return results, combine(list(results.values()))

    def reconstruct_swift_all(self, nodes=None, timeout_s=600.0, options=None):
        """Runs Swift's reconstructor once at several servers side by side, like reconstruct()."""
        return self.reconstruct([SWIFT_RECONSTRUCTOR], nodes, ('once', '-v'), timeout_s, options)

    def _reconstructor_conf(self, number, options):
        node = self.layout.node(number)
        if not options:
            return node.replication_conf
        # Named after the content, so that runs with other options leave it alone.
        text = json.dumps(options, sort_keys=True)
        tag = hashlib.sha256(text.encode()).hexdigest()[:12]
        return conf_files.write_reconstructor_conf(self.layout, node, tag, options)

    def audit(self, node, timeout_s=600.0):
        """Runs Swift's auditor once over a server's devices; returns (quarantined, RunResult).

        The auditor passes over expired objects.
        """
        result = self.run(['/usr/bin/swift-object-auditor', self.layout.node(node).conf, 'once',
                           '-v'], timeout_s)
        return len(_QUARANTINED.findall(result.output)), result

    def object_info(self, device, relative_path):
        """What swift-object-info says about one file of a device."""
        path = f'{self.layout.mount_point(device)}/{relative_path}'
        return self.run(['/usr/bin/swift-object-info', path]).output
