"""Options of the daemon, and peers that are away or busy."""

from groups import GONE_DEVICE, GONE_SERVER

from stage import reverts_first

from . import TABLE
from .reverts import all_at_home

HOUR = 3600
OTHERS = [0, 1, 3, 4, 5]
PRIMARIES = [f'p{index}' for index in range(6)]


@TABLE.row('at most two objects a revert', group='limited',
           differs='which two go first is a matter of the order in a folder',
           check=lambda scene, swift, ours: three_remain(scene, swift) or three_remain(scene, ours),
           logs=(r'ssync missing_check truncated after 2 objects',))
def _(scene):
    for _number in range(5):
        scene.object().put_where(OTHERS).put(on={'h0': 2})


def three_remain(scene, state):
    kept, home = state.on(scene.device('h0'), '.data'), state.on(scene.device('p2'), '.data')
    assert (len(kept), len(home)) == (3, 2), f'{len(kept)} remain, {len(home)} are at home'


@TABLE.row('no more objects than the limit', group='limited')
def _(scene):
    for _number in range(2):
        scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('handoffs only: a handoff is reverted', group='handoffs_only', check=all_at_home,
           logs=('Handoffs only mode found no handoffs remaining',
                 'Handoff only mode is not intended for normal operation'))
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('handoffs only: nothing is rebuilt', group='handoffs_only')
def _(scene):
    scene.object().put_where(OTHERS)


@TABLE.row('handoffs only: what is misplaced on a primary waits', group='handoffs_only')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'p0': 2})


@TABLE.row('handoffs first is the same', group='handoffs_first',
           logs=('The handoffs_first option is deprecated',))
def _(scene):
    scene.object().put_where([0, 1, 4, 5]).put(on={'h0': 2})


@TABLE.row('target server down: nothing is removed', group='server_down',
           fits=lambda place: reverts_first(place) and place.server('p2') == GONE_SERVER)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('one of two targets down: nothing is removed', group='server_down', duplicated=True,
           fits=lambda place: reverts_first(place) and
           place.server('p4') == GONE_SERVER != place.server('p1'))
def _(scene):
    scene.object().put(on={'p0': 0, 'p3': 0, 'p2': 2, 'p5': 2, 'h0': 1})


@TABLE.row('tombstone on a handoff while a server is down', group='server_down',
           differs='whether the sample of primaries holds the absent one is drawn by chance',
           chance=True,
           check=lambda scene, swift, ours: tombstone_somewhere(scene, ours),
           fits=lambda place: reverts_first(place) and place.server('p2') == GONE_SERVER)
def _(scene):
    scene.object().delete(-HOUR, [*PRIMARIES, 'h0'])


def tombstone_somewhere(scene, state):
    for part in PRIMARIES:
        assert state.on(scene.device(part), '.ts'), f'no tombstone at {part}'


@TABLE.row('target device unmounted: nothing is removed', group='unmounted',
           fits=lambda place: place.device('p2') == GONE_DEVICE)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('partner unmounted: its fragment is rebuilt to a handoff', group='unmounted',
           requests_differ='who finds the lack first is a matter of order',
           fits=lambda place: place.device('p2') == GONE_DEVICE)
def _(scene):
    scene.object().put_where(OTHERS)


@TABLE.row('partner unmounted, a tombstone and data', group='unmounted',
           requests_differ='who finds the lack first is a matter of order',
           fits=lambda place: place.device('p5') == GONE_DEVICE)
def _(scene):
    scene.object().put_where([0, 1, 2, 3, 4])
    scene.object().delete(-HOUR, PRIMARIES[:5])


@TABLE.row('partner unmounted, no handoff may take its place', group='unmounted_no_handoffs',
           fits=lambda place: place.device('p2') == GONE_DEVICE)
def _(scene):
    scene.object().put_where(OTHERS)


@TABLE.row('holder of misplaced fragments unmounted', group='unmounted',
           fits=lambda place: place.device('h0') == GONE_DEVICE)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('partition locked by somebody here', group='locked_here',
           logs=(lambda scene: f'Unable to lock handoff partition {scene.place.partition} for '
                               f'revert on device {scene.device("h0")} policy 1',))
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('partition locked by somebody at the target', group='locked_there',
           logs=(r'1 second: ',))
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})
