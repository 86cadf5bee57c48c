"""Durable fragments on devices that are not theirs."""

from . import TABLE

HOUR = 3600
DAY = 24 * HOUR
OTHERS = [0, 1, 3, 4, 5]
ALL = [0, 1, 2, 3, 4, 5]


def all_at_home(scene, state):
    """Every object of the row has each index on its primary and nowhere else."""
    wanted = sorted((scene.device(f'p{index}'), f'#{index}#') for _made in scene.objects
                    for index in ALL)
    found = sorted((device, name[name.index('#'):name.index('#', name.index('#') + 1) + 1])
                   for device, name in state.names('.data'))
    assert found == wanted, f'fragments are at {found}'


@TABLE.row('durable fragment on a handoff, its primary has nothing', check=all_at_home)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('durable fragment on a handoff, its primary has it too', check=all_at_home)
def _(scene):
    scene.object().put().put(on={'h0': 2})


@TABLE.row('handoff with two indexes', check=all_at_home)
def _(scene):
    scene.object().put_where([0, 1, 4, 5]).put(on={'h0': [2, 3]})


@TABLE.row('handoff with all indexes, nobody else has any', check=all_at_home)
def _(scene):
    scene.object().put(on={'h1': ALL})


@TABLE.row('whole partition rebalanced: every fragment on another handoff', check=all_at_home)
def _(scene):
    for number in range(3):
        scene.object().put(on={f'h{index}': index for index in ALL}, size=1000 * number)


# Two passes: who comes first finds the other's fragment still in the place of its own.
@TABLE.row('rotated row: every primary holds the fragment of its neighbour', group='rounds',
           check=all_at_home, requests_differ='a rebuild may come before the delivery, in either')
def _(scene):
    scene.object().put(on={f'p{(index + 1) % 6}': index for index in ALL})


@TABLE.row('primary with its own and one more index', check=all_at_home)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'p0': 2})


@TABLE.row('primary without its own but with another index', group='rounds', check=all_at_home,
           requests_differ='partners may rebuild before the delivery, in either program')
def _(scene):
    scene.object().put_where([1, 3, 4, 5]).put(on={'p0': 2})


@TABLE.row('several objects in several suffixes on one handoff', check=all_at_home)
def _(scene):
    for number in range(5):
        scene.object().put_where(OTHERS, size=300 * number).put(on={'h0': 2}, size=300 * number)


@TABLE.row('object of zero bytes on a handoff', check=all_at_home)
def _(scene):
    scene.object().put_where(OTHERS, size=0).put(on={'h0': 2}, size=0)


@TABLE.row('archive longer than what is checked ahead', check=all_at_home)
def _(scene):
    scene.object().put_where(OTHERS, size=9 << 20).put(on={'h0': 2}, size=9 << 20)


@TABLE.row('time with an offset', check=all_at_home)
def _(scene):
    at = (-HOUR, 0x2a)
    scene.object().put_where(OTHERS, at=at).put(on={'h0': 2}, at=at)


@TABLE.row('handoff with an older version than all primaries', check=all_at_home)
def _(scene):
    scene.object().put(on={'h0': 2}, at=-2 * HOUR).put()


OLD_BYTES = 'Swift rebuilds the newer version out of the bytes of the older one'


def only_one_new(scene, swift, ours):
    """Fragments of the newer version: what was there, and in Swift what never was."""
    def newest(state):
        return [name for _device, name in state.names('.data')
                if name.startswith(scene.time(-HOUR))]
    assert len(newest(swift)) > 1, 'Swift does it no longer'
    assert len(newest(ours)) == 1, newest(ours)


@TABLE.row('handoff with a newer version of its fragment than the primary', differs=OLD_BYTES,
           check=only_one_new)
def _(scene):
    scene.object().put(at=-2 * HOUR).put(on={'h0': 2}, at=-HOUR)


@TABLE.row('newer version on five primaries, the sixth fragment on a handoff', check=all_at_home)
def _(scene):
    scene.object().put(at=-2 * HOUR).put_where(OTHERS, at=-HOUR).put(on={'h0': 2}, at=-HOUR)


@TABLE.row('one fragment on two handoffs', check=all_at_home)
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2, 'h1': 2})


@TABLE.row('two versions of one object on two handoffs', check=all_at_home)
def _(scene):
    scene.object().put(on={'h0': 2}, at=-2 * HOUR).put_where(OTHERS).put(on={'h1': 2})


@TABLE.row('two versions, two indexes, one handoff')
def _(scene):
    scene.object().put(on={'h0': 3}, at=-2 * HOUR).put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('handoff of the same server as the primary', check=all_at_home,
           fits=lambda place: place.server('h0') == place.server('p2'))
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2})


@TABLE.row('durable by a .durable file, on a handoff')
def _(scene):
    scene.object().put_where(OTHERS).put(on={'h0': 2}, durable='legacy')


@TABLE.row('expired object on a handoff')
def _(scene):
    at = dict(at=-3 * HOUR, delete_at=int(float(scene.time(-HOUR))))
    scene.object().put_where(OTHERS, **at).put(on={'h0': 2}, **at)


@TABLE.row('object that will expire, on a handoff', check=all_at_home)
def _(scene):
    at = dict(delete_at=int(float(scene.time(DAY))))
    scene.object().put_where(OTHERS, **at).put(on={'h0': 2}, **at)


@TABLE.row('long metadata and odd headers on a handoff', check=all_at_home)
def _(scene):
    more = dict(meta={'Long': 'v' * 250, 'Empty': '', 'Spaces': 'a  b'},
                headers={'Content-Encoding': 'gzip', 'X-Object-Sysmeta-Thing': 'a=b;c'})
    scene.object().put_where(OTHERS, **more).put(on={'h0': 2}, **more)


@TABLE.row('non-ASCII metadata on a handoff',
           differs='Swift before 2.32 sends the UTF-8 form of what it should send as Latin-1',
           check=lambda scene, swift, ours: all_at_home(scene, ours) or unspoilt(scene, ours))
def _(scene):
    scene.object().put_where(OTHERS, meta={'City': 'Zürich'}).put(on={'h0': 2},
                                                                 meta={'City': 'Zürich'})


def unspoilt(scene, state):
    texts = {entry['metadata']['X-Object-Meta-City'] for manifest in state.files.values()
             for path, entry in manifest.items() if path.endswith('.data')}
    assert len(texts) == 1, f'metadata differ: {texts}'


@TABLE.row('duplicated policy: a handoff delivers to both primaries', duplicated=True)
def _(scene):
    made = scene.object()
    made.put(on={'p0': 0, 'p3': 0, 'p2': 2, 'p5': 2})
    made.put(on={'h0': 1})


@TABLE.row('duplicated policy: one of both primaries has it', duplicated=True)
def _(scene):
    scene.object().put(on={'p0': 0, 'p3': 0, 'p2': 2, 'p5': 2, 'p1': 1, 'h0': 1})


@TABLE.row('duplicated policy: a primary holds another index', duplicated=True)
def _(scene):
    scene.object().put(on={'p0': [0, 1], 'p3': 0, 'p2': 2, 'p5': 2, 'p1': 1})
