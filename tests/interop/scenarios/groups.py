"""The groups of the table: options and faults that rows share."""

import contextlib
import dataclasses


@contextlib.contextmanager
def no_faults(_lab, _scenes):
    yield


@dataclasses.dataclass
class Group:
    """`rounds` passes at `servers` (all unless named), one after the other."""

    name: str
    options: dict = dataclasses.field(default_factory=dict)
    rounds: int = 1
    servers: tuple = ()
    faults: object = no_faults


GROUPS = [
    Group('plain'),
]
