"""Posted metadata, content types with a time of their own, and .meta files without data."""

import os
import shutil

from stage import reverts_first

from . import TABLE

HOUR = 3600
OTHERS = [0, 1, 3, 4, 5]
PRIMARIES = [f'p{index}' for index in range(6)]
OTHER_PRIMARIES = [f'p{index}' for index in OTHERS]


@TABLE.row('data and .meta on a handoff, its primary has nothing')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}).post(-HOUR / 2, [*OTHER_PRIMARIES, 'h0'])


@TABLE.row('data and .meta on a handoff, its primary has the data')
def _(scene):
    scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, [*OTHER_PRIMARIES, 'h0'])


@TABLE.row('.meta only on a handoff that has the data, no primary has it', group='rounds',
           requests_differ='partners spread it in the order of their jobs')
def _(scene):
    scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, ['h0'])


@TABLE.row('data on a handoff, its primary has a .meta besides')
def _(scene):
    scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, PRIMARIES)


@TABLE.row('older .meta on a handoff than on its primary')
def _(scene):
    scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, ['h0']).post(-HOUR / 3, PRIMARIES)


@TABLE.row('two indexes and a .meta on a handoff')
def _(scene):
    scene.object().put_where([0, 1, 4, 5]).put(on={'h0': [2, 3]}) \
        .post(-HOUR / 2, ['p0', 'p1', 'p4', 'p5', 'h0'])


@TABLE.row('misplaced index and a .meta on a primary: the .meta stays')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'p0': 2}).post(-HOUR / 2, OTHER_PRIMARIES)


@TABLE.row('misplaced index alone and a .meta on a primary', group='rounds',
           requests_differ='partners may rebuild before the delivery, in either program')
def _(scene):
    scene.object().put_where([1, 3, 4, 5]).put(on={'p0': 2}).post(-HOUR / 2, OTHER_PRIMARIES)


def no_meta_at_handoff(scene, swift, ours):
    device = scene.device('h0')
    assert swift.on(device, '.meta') and not ours.on(device), (swift.on(device), ours.on(device))
    for part in PRIMARIES:
        theirs, mine = swift.on(scene.device(part)), ours.on(scene.device(part))
        assert theirs == mine, f'{part}: {mine}, expected {theirs}'


LEFT_BEHIND = 'Swift leaves a .meta with a content type time behind, until it wipes the partition'


@TABLE.row('content type posted on a handoff', differs=LEFT_BEHIND, check=no_meta_at_handoff)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}) \
        .post(-HOUR / 2, [*OTHER_PRIMARIES, 'h0'], content_type='image/png')


def delivered_apart(place):
    """No partner of p2 is at its server, where it could pass on in the same pass or not."""
    return reverts_first(place) and place.server('p2') not in map(place.server, ('p1', 'p3', 'p5'))


@TABLE.row('content type older than the .meta that carries it', differs=LEFT_BEHIND,
           fits=delivered_apart, check=no_meta_at_handoff)
def _(scene):
    scene.object().put().put(on={'h0': 2}) \
        .post(-HOUR / 2, ['h0'], content_type='image/png', content_type_at=-HOUR * 3 / 4)


@TABLE.row('posts to different primaries spread', group='rounds')
def _(scene):
    scene.object().put().post(-HOUR / 2, ['p1'])


@TABLE.row('posted metadata on one primary, content type on another', group='rounds')
def _(scene):
    scene.object().put().post(-HOUR / 2, ['p1']) \
        .post(-HOUR / 3, ['p4'], content_type='image/png')


@TABLE.row('offset in the data, .meta later')
def _(scene):
    at = (-HOUR, 3)
    scene.object().put_where(OTHERS, at=at).put(on={'h0': 2}, at=at) \
        .post(-HOUR / 2, [*OTHER_PRIMARIES, 'h0'])


def _remove(scene, made, part, ending):
    for path in made.files(part, ending):
        os.unlink(path)


def kept(ending):
    def check(scene, swift, ours):
        assert ours.on(scene.device('h0'), ending), 'it is gone'
        assert not swift.on(scene.device('h0')), 'Swift left it alone, too'
    return check


@TABLE.row('a .meta without data on a handoff, the primaries have the data',
           differs='Swift wipes a partition in which nothing counts; what is there may be all '
                   'that is left of something', check=kept('.meta'))
def _(scene):
    made = scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, ['h0'])
    scene.after(lambda: _remove(scene, made, 'h0', '.data'))


@TABLE.row('a .meta without data on a primary')
def _(scene):
    made = scene.object().put().post(-HOUR / 2, ['p0'])
    scene.after(lambda: _remove(scene, made, 'p0', '.data'))


@TABLE.row('a .meta without data beside another object on a handoff')
def _(scene):
    made = scene.object().put().put(on={'h0': 2}).post(-HOUR / 2, ['h0'])
    scene.object().put().put(on={'h0': 2})
    scene.after(lambda: _remove(scene, made, 'h0', '.data'))
    scene.after(lambda: shutil.rmtree(made.folder('p2')))
