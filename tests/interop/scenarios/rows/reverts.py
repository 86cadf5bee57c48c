"""Durable fragments on devices that are not theirs."""

from . import TABLE

OTHERS = [0, 1, 3, 4, 5]


@TABLE.row('durable fragment on a handoff, its primary has nothing')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('durable fragment on a handoff, its primary has it too')
def _(scene):
    scene.object().put().put(on={'h0': 2})


@TABLE.row('handoff with two indexes')
def _(scene):
    scene.object().put_where([0, 1, 4, 5]).put(on={'h0': [2, 3]})
