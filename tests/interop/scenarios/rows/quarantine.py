"""Fragments of which nearly nothing else is left, with quarantine_threshold."""

from groups import GONE_SERVER
from stage import reverts_first

from . import TABLE

HOUR = 3600
ORDER = 'Fragmend asks anew before it quarantines; sub-requests there are none'


def quarantined(*parts):
    def check(scene, state):
        wanted = {(scene.device(part), made.hash) for part in parts for made in scene.objects}
        assert state.quarantined == wanted, state.quarantined
    return check


@TABLE.row('solitary fragment on its primary', group='quarantine', check=quarantined('p0'),
           logs=(r'Quarantined object \S+: Solitary fragment #0',))
def _(scene):
    scene.object().put_where([0])


@TABLE.row('solitary fragment with a .meta', group='quarantine', check=quarantined('p3'))
def _(scene):
    scene.object().put_where([3]).post(-HOUR / 2, ['p3'])


@TABLE.row('solitary fragment that was never committed', group='quarantine', check=quarantined())
def _(scene):
    scene.object().put_where([0], durable=False)


@TABLE.row('two fragments are not solitary', group='quarantine', check=quarantined())
def _(scene):
    scene.object().put_where([0, 3])


@TABLE.row('solitary among primaries, another fragment on a handoff', group='quarantine',
           check=quarantined())
def _(scene):
    scene.object().put_where([0]).put(on={'h3': 4})


@TABLE.row('another version on another primary', group='quarantine', check=quarantined())
def _(scene):
    scene.object().put_where([0], at=-HOUR).put_where([4], at=-2 * HOUR)


@TABLE.row('tombstone of a later time on another primary', group='quarantine',
           check=quarantined())
def _(scene):
    scene.object().put_where([0]).delete(-HOUR / 2, ['p1'])


@TABLE.row('solitary fragment on a handoff goes home first', group='quarantine',
           fits=reverts_first)
def _(scene):
    scene.object().put(on={'h0': 2})


@TABLE.row('whole object is left alone', group='quarantine', check=quarantined())
def _(scene):
    scene.object().put_where([0, 1, 2, 3])


@TABLE.row('younger than the quarantine age', group='quarantine_young', check=quarantined())
def _(scene):
    scene.object().put_where([0])


@TABLE.row('two fragments with a threshold of two', group='quarantine_pair',
           check=quarantined('p0', 'p3'))
def _(scene):
    scene.object().put_where([0, 3])


@TABLE.row('three fragments with a threshold of two', group='quarantine_pair', check=quarantined())
def _(scene):
    scene.object().put_where([0, 3, 4])


@TABLE.row('a server that does not answer forbids it', group='quarantine_server_down',
           check=quarantined(),
           fits=lambda place: place.server('p5') == GONE_SERVER != place.server('p0'))
def _(scene):
    scene.object().put_where([0])


def braked(scene, swift, ours):
    assert len(swift.quarantined) == 5, swift.quarantined
    assert len(ours.quarantined) == 2, ours.quarantined


@TABLE.row('more than the brake allows', group='quarantine_brake', check=braked,
           differs='above fragmend_quarantine_brake a device is left alone')
def _(scene):
    for _number in range(5):
        scene.object().put_where([0])
