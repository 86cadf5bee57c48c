"""Deletes: riding on other jobs, alone on a handoff, older and newer than data."""

from . import TABLE

HOUR = 3600
DAY = 24 * HOUR
OTHERS = [0, 1, 3, 4, 5]
SAMPLE = 'the sample of primaries is drawn by chance'
PRIMARIES = [f'p{index}' for index in range(6)]


@TABLE.row('tombstone on a handoff, all primaries have it',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().delete(-HOUR, [*PRIMARIES, 'h0'])


@TABLE.row('tombstone on a handoff, the primaries have nothing', group='rounds',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().delete(-HOUR, ['h0'])


@TABLE.row('tombstone on a handoff, the primaries have the data', group='rounds',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().put().delete(-HOUR / 2, ['h0'])


@TABLE.row('tombstone on a handoff, newer data on the primaries',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().delete(-2 * HOUR, ['h0']).put()


@TABLE.row('tombstone of one object beside a misplaced fragment of another', group='rounds',
           requests_differ='partners spread the tombstone in the order of their jobs')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})
    scene.object().put().delete(-HOUR / 2, ['h0'])


@TABLE.row('tombstones ride on the job with the fewest suffixes', group='rounds',
           requests_differ='partners spread the tombstone in the order of their jobs')
def _(scene):
    for index in (2, 3, 3):
        scene.object().put_where([i for i in range(6) if i != index]).put(on={'h0': index})
    scene.object().put().delete(-HOUR / 2, ['h0'])


@TABLE.row('tombstone in the suffix of a misplaced fragment of the same object',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().put(at=-2 * HOUR).delete(-HOUR, [*PRIMARIES, 'h0']).put(at=-HOUR / 2)


@TABLE.row('tombstone on one primary spreads', group='rounds',
           requests_differ='partners spread the tombstone in the order of their jobs')
def _(scene):
    scene.object().put().delete(-HOUR / 2, ['p0'])


@TABLE.row('device that slept through a delete')
def _(scene):
    scene.object().put().delete(-HOUR / 2, PRIMARIES[1:])


@TABLE.row('device that slept through a delete and a new put')
def _(scene):
    scene.object().put(at=-2 * HOUR).delete(-HOUR, PRIMARIES[1:]).put_where([1, 2, 3, 4, 5])


@TABLE.row('data on a handoff, deleted at its primary')
def _(scene):
    scene.object().put(on={'h0': 2}, at=-2 * HOUR).delete(-HOUR, PRIMARIES)


@TABLE.row('data on a handoff, older tombstone at its primary', group='rounds',
           requests_differ='partners rebuild in the order of their jobs')
def _(scene):
    scene.object().delete(-2 * HOUR, ['p2']).put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('data on a handoff, older than a tombstone beside it',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().put(at=-2 * HOUR).put(on={'h0': 2}, at=-2 * HOUR) \
        .delete(-HOUR, [*PRIMARIES, 'h0'])


@TABLE.row('tombstone with an offset on a handoff',
           requests_differ=SAMPLE)
def _(scene):
    scene.object().delete((-HOUR, 5), [*PRIMARIES, 'h0'])


@TABLE.row('tombstone past its reclaim age on a handoff')
def _(scene):
    scene.object().delete(-8 * DAY, ['h0'])


@TABLE.row('tombstone past its reclaim age on a primary')
def _(scene):
    scene.object().delete(-8 * DAY, ['p0'])


@TABLE.row('tombstones of many objects on a handoff, all primaries have them',
           requests_differ=SAMPLE)
def _(scene):
    for _number in range(6):
        scene.object().delete(-HOUR, [*PRIMARIES, 'h0'])


@TABLE.row('duplicated policy: tombstone on a handoff, all primaries have it', duplicated=True,
           requests_differ=SAMPLE)
def _(scene):
    scene.object().delete(-HOUR, [*PRIMARIES, 'h0'])
