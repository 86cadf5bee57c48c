"""Fragments that were never committed, before and after the commit window."""

from . import TABLE

HOUR = 3600
OTHERS = [0, 1, 3, 4, 5]


def young_and_old(name, **fields):
    """Two rows: files that stay young however long a run takes, and files past the window."""
    def add(build):
        def with_age(seconds):
            def made(scene):
                build(scene)
                for part in scene.place.devices:
                    scene.after(lambda part=part: scene.age(part, seconds))
            return made
        TABLE.row(f'{name}, young', **fields)(with_age(-HOUR))
        TABLE.row(f'{name}, past the commit window', **fields)(with_age(HOUR))
        return build
    return add


@young_and_old('non-durable fragment on a handoff, its primary has nothing')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}, durable=False)


@young_and_old('non-durable fragments everywhere, one of them on a handoff')
def _(scene):
    scene.object().put_where(OTHERS, durable=False).put(on={'h0': 2}, durable=False)


@young_and_old('non-durable fragment on a handoff, its primary has the same')
def _(scene):
    scene.object().put(durable=False).put(on={'h0': 2}, durable=False)


@young_and_old('non-durable fragment on a handoff, its primary has it durable')
def _(scene):
    scene.object().put().put(on={'h0': 2}, durable=False)


@young_and_old('newer non-durable beside an older durable of the same index')
def _(scene):
    scene.object().put_where(OTHERS, at=-2 * HOUR).put(on={'h0': 2}, at=-2 * HOUR) \
        .put(on={'h0': 2}, at=-HOUR, durable=False)


@young_and_old('newer non-durable beside an older durable, two passes', group='rounds')
def _(scene):
    scene.object().put_where(OTHERS, at=-2 * HOUR).put(on={'h0': 2}, at=-2 * HOUR) \
        .put(on={'h0': 2}, at=-HOUR, durable=False)


# Swift shuffles its jobs: the durable one goes in this pass or in the next, its folder one later.
@young_and_old('newer non-durable of one index beside an older durable of another', group='rounds')
def _(scene):
    scene.object().put_where([0, 1, 4, 5], at=-2 * HOUR).put(on={'h0': 3}, at=-2 * HOUR) \
        .put(on={'h0': 2}, at=-HOUR, durable=False)


@young_and_old('older non-durable beside a newer durable')
def _(scene):
    scene.object().put(on={'h0': 2}, at=-2 * HOUR, durable=False).put_where(OTHERS) \
        .put(on={'h0': 2})


@young_and_old('durable on a handoff, its primary has it non-durable')
def _(scene):
    scene.object().put_where(OTHERS).put_where([2], durable=False).put(on={'h0': 2})


@young_and_old('durable on three primaries, non-durable on the others', group='rounds',
               requests_differ='who makes whose fragment durable depends on the order of jobs')
def _(scene):
    scene.object().put_where([0, 1, 2]).put_where([3, 4, 5], durable=False)


@young_and_old('non-durable on one primary only')
def _(scene):
    scene.object().put_where([3], durable=False)


@young_and_old('non-durable on all primaries')
def _(scene):
    scene.object().put(durable=False)


@young_and_old('non-durable misplaced on a primary')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'p0': 2}, durable=False)


def with_its_meta(scene, swift, ours):
    theirs, mine = swift.on(scene.device('h0')), ours.on(scene.device('h0'))
    assert len(theirs) == 1 and len(mine) == 2 and set(theirs) < set(mine), (theirs, mine)


def non_durable_with_meta(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}, durable=False) \
        .post(-HOUR / 2, ['p0', 'p1', 'p3', 'p4', 'p5', 'h0'])


@TABLE.row('non-durable with a .meta on a handoff, young', check=with_its_meta,
           differs='Swift takes the .meta away although the young fragment stays')
def _(scene):
    non_durable_with_meta(scene)
    scene.after(lambda: scene.age('h0', -HOUR))


@TABLE.row('non-durable with a .meta on a handoff, past the commit window')
def _(scene):
    non_durable_with_meta(scene)
    scene.after(lambda: scene.age('h0', HOUR))


@TABLE.row('young non-durable without a commit window', group='no_window')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}, durable=False)


@TABLE.row('duplicated policy: non-durable goes to both primaries', duplicated=True)
def _(scene):
    scene.object().put(on={'p0': 0, 'p3': 0, 'p2': 2, 'p5': 2})
    scene.objects[0].put(on={'h0': 1}, durable=False)
    scene.after(lambda: scene.age('h0', HOUR))
