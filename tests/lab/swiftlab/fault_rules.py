"""Which request suffers which fault: rules, their matching and the count of requests. No I/O."""

import dataclasses
import re

ACTIONS = ('status', 'hang', 'drop', 'delay', 'cut', 'stall', 'flip')


@dataclasses.dataclass
class Rule:
    """One fault, for the requests that match.

    server   number, or None for all        verb  'GET', ..., or None
    path     regular expression searched in the raw request target, or None
    nth      only the nth match from when the rule was added, 1-based; 0 = every match
    times    how often it may act at most; 0 = unlimited
    action   status   answer `status` (default 503) without asking the server
             hang     never answer            drop   close the connection at once
             delay    wait `seconds`, then go on as normal
             cut      close after `at` bytes  stall  fall silent after `at` bytes
             flip     flip one bit of byte `at`
    at       offset in the body of the answer; for PUT and SSYNC in the raw stream after the head,
             chunk framing included; negative counts from the end (only with Content-Length)
    side     'response' or, for PUT and SSYNC only, 'request'
    """

    action: str
    server: int | None = None
    verb: str | None = None
    path: str | None = None
    nth: int = 0
    times: int = 0
    status: int = 503
    seconds: float = 1.0
    at: int = 0
    side: str = 'response'

    def __post_init__(self):
        if self.action not in ACTIONS:
            raise ValueError(f'action must be one of {", ".join(ACTIONS)}, not {self.action!r}')
        if self.side not in ('request', 'response'):
            raise ValueError(f"side must be 'request' or 'response', not {self.side!r}")
        self._matches = 0
        self._acted = 0

    def takes(self, server, verb, path):
        """Whether this request is struck; counts it if it matches at all."""
        if self.server not in (None, server) or self.verb not in (None, verb):
            return False
        if self.path is not None and not re.search(self.path, path):
            return False
        self._matches += 1
        if self.nth and self._matches != self.nth:
            return False
        if self.times and self._acted >= self.times:
            return False
        self._acted += 1
        return True


class RuleBook:
    """The rules in force, in the order given (the first that takes a request acts), and counts."""

    def __init__(self):
        self._rules = []
        self._counts = {}

    def add(self, fields):
        self._rules.append(Rule(**fields))

    def clear(self):
        self._rules.clear()

    def choose(self, server, verb, path):
        verbs = self._counts.setdefault(server, {})
        verbs[verb] = verbs.get(verb, 0) + 1
        for rule in self._rules:
            if rule.takes(server, verb, path):
                return rule
        return None

    def counts(self, reset=False):
        counts = {server: dict(verbs) for server, verbs in self._counts.items()}
        if reset:
            self._counts.clear()
        return counts
