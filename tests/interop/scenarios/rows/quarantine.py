"""Fragments of which nearly nothing else is left, with quarantine_threshold."""

from groups import GONE_SERVER
from stage import REVERTING_SERVER, reverts_first

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


# The tombstone has to come first: jobs of one server have no order.
@TABLE.row('tombstone of a later time on another primary', group='quarantine',
           check=quarantined(),
           fits=lambda place: reverts_first(place) and place.server('p1') < place.server('p0'))
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


def runs_alone(*holders, left_first=False):
    """The only server that runs has the first primary, and none of the handoffs that hold any.

    With `left_first` Fragmend turns to the left partner first in such a partition, as Swift does in
    all of them. It matters where two fragments on primaries are no candidates any more.
    """
    def fits(place):
        here = {part for part, server in place.servers.items() if server == REVERTING_SERVER}
        return ('p0' in here and not here & set(holders)
                and (place.partition % 3 == 0 or not left_first))
    return fits


def rebuilt(*parts):
    def check(scene, state):
        assert not state.quarantined, state.quarantined
        for number, part in enumerate(['p0', 'p1', 'p2', 'p3', 'p4', 'p5']):
            there = [name for name in state.on(scene.device(part)) if f'#{number}#d.data' in name]
            assert bool(there) == (part in (*parts, 'p0')), (part, there)
    return check


@TABLE.row('enough for a rebuild lies on handoffs', group='quarantine_handoffs',
           fits=runs_alone('h0', 'h1', 'h2', left_first=True), check=rebuilt('p5'),
           logs=('Reconstructing frag from handoffs, node_count=',))
def _(scene):
    scene.object().put_where([0]).put(on={'h0': 2, 'h1': 3, 'h2': 4})


@TABLE.row('enough for a rebuild lies on handoffs, for all partners', group='quarantine_three',
           fits=runs_alone('h0', 'h1', 'h2', 'h3'), check=rebuilt('p1', 'p3', 'p5'))
def _(scene):
    scene.object().put_where([0]).put(on={'h0': 2, 'h1': 4, 'h2': 1, 'h3': 5})


@TABLE.row('not committed fragments on handoffs rebuild, too', group='quarantine_handoffs',
           fits=runs_alone('h1', 'h2', 'h3', left_first=True), check=rebuilt('p5'))
def _(scene):
    scene.object().put_where([0]).put(on={'h1': 2, 'h2': 3, 'h3': 4}, durable=False)


@TABLE.row('too few for a rebuild on primaries and handoffs', group='quarantine_handoffs',
           fits=runs_alone('h0', 'h1'), check=rebuilt())
def _(scene):
    scene.object().put_where([0]).put(on={'h0': 2, 'h1': 3})


@TABLE.row('the same index on several handoffs', group='quarantine_handoffs',
           fits=runs_alone('h0', 'h1', 'h2', 'h3'), check=rebuilt())
def _(scene):
    scene.object().put_where([0]).put(on={f'h{number}': 2 for number in range(4)})


@TABLE.row('two fragments on primaries, the others on handoffs', group='quarantine_handoffs',
           fits=runs_alone('h0', 'h1', 'h2'))
def _(scene):
    scene.object().put_where([0, 2]).put(on={'h0': 3, 'h1': 4, 'h2': 5})


@TABLE.row('fragments of another version on handoffs', group='quarantine_handoffs',
           fits=runs_alone('h0', 'h1', 'h2'), check=rebuilt())
def _(scene):
    made = scene.object().put_where([0])
    made.put(at=-2 * HOUR, on={'h0': 2, 'h1': 3, 'h2': 4})


@TABLE.row('nobody may be asked beyond the primaries', group='quarantine_no_handoffs',
           fits=runs_alone('h0', 'h1', 'h2', left_first=True), check=quarantined('p0'))
def _(scene):
    scene.object().put_where([0]).put(on={'h0': 2, 'h1': 3, 'h2': 4})
