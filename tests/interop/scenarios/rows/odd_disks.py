"""Damage, foreign files, files in the place of folders, stale and broken hash files."""

import os
import shutil

from . import TABLE
from .reverts import all_at_home

HOUR = 3600
OTHERS = [0, 1, 3, 4, 5]
NEVER_DELETED = 'what nobody knows is left alone; Swift removes it'


def touch(path, text='x'):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as out:
        out.write(text)


def reverted(scene):
    """A fragment that is to be reverted from h0, beside what is odd."""
    return scene.object().put_where(OTHERS).put(on={'h0': 2})


def still_there(*names):
    def check(scene, swift, ours):
        root = scene.data_dir
        for part, name in names:
            known = ours.look.manifests[scene.device(part)]
            assert any(path == f'{root}/{name}' or path.startswith(f'{root}/{name}/')
                       for path in known), f'{name} is gone'
        all_at_home(scene, ours)
        assert swift.names('.data') == ours.names('.data'), ours.names('.data')
    return check


@TABLE.row('foreign file in the data folder', differs=NEVER_DELETED,
           check=still_there(('h0', 'notes.txt')), logs=('Unexpected entity in data dir: ',))
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(f'{scene.root("h0")}/{scene.data_dir}/notes.txt'))


@TABLE.row('foreign folder in the data folder', differs=NEVER_DELETED,
           check=still_there(('h0', 'lost+found')))
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(f'{scene.root("h0")}/{scene.data_dir}/lost+found/a/b'))


@TABLE.row('status files of the auditor', check=all_at_home)
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(f'{scene.root("h0")}/{scene.data_dir}/auditor_status_ALL.json'))


def plain_partition(scene, swift, ours):
    assert scene.data_dir + f'/{scene.place.partition}' in ours.look.manifests[scene.device('h0')]
    all_at_home(scene, ours)


@TABLE.row('a file in the place of a partition', differs=NEVER_DELETED, check=plain_partition,
           logs=('is not a directory',))
def _(scene):
    scene.object().put()
    scene.after(lambda: touch(scene.partition_folder('h0')))


@TABLE.row('a file in the place of a suffix, on a handoff', differs=NEVER_DELETED,
           check=lambda scene, swift, ours: abc_kept(scene, ours))
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(scene.partition_folder('h0') + '/abc'))


def abc_kept(scene, state):
    assert any(path.endswith('/abc') for path in state.files[scene.device('h0')]), 'it is gone'
    all_at_home(scene, state)


@TABLE.row('a file in the place of an object folder')
def _(scene):
    made = scene.object().put_where(OTHERS)
    scene.object().put_where(OTHERS).put(on={'h0': 2})
    scene.after(lambda: touch(made.folder('p2')))


@TABLE.row('foreign files in a suffix folder and in an object folder')
def _(scene):
    made = reverted(scene)
    scene.after(lambda: touch(os.path.dirname(made.folder('h0')) + '/notes.txt'))
    scene.after(lambda: touch(made.folder('h0') + '/notes.txt'))


@TABLE.row('temporary files of rsync beside a fragment')
def _(scene):
    made = reverted(scene)
    scene.after(lambda: touch(made.folder('h0') + '/.1795332145.61494#2#d.data.6mbO93'))


@TABLE.row('foreign folder in a partition that gets empty', group='rounds', differs=NEVER_DELETED,
           check=lambda scene, swift, ours: notes_kept(scene, ours))
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(scene.partition_folder('h0') + '/notes/a'))


def notes_kept(scene, state):
    assert any(path.endswith('/notes/a') for path in state.files[scene.device('h0')]), 'it is gone'
    all_at_home(scene, state)


@TABLE.row('fragment cut short on a handoff')
def _(scene):
    made = reverted(scene)
    scene.after(lambda: os.truncate(made.files('h0')[0], 100))


@TABLE.row('fragment with a flipped bit on a handoff',
           differs='Swift sends it, is refused with 422 and loses the session; what was found '
                   'damaged here is not sent',
           check=lambda scene, swift, ours: quarantined_only(scene, swift, ours))
def _(scene):
    made = reverted(scene)
    scene.after(lambda: flip(made.files('h0')[0]))


def flip(path):
    with open(path, 'r+b') as file:
        file.seek(700)
        byte = file.read(1)[0]
        file.seek(700)
        file.write(bytes([byte ^ 1]))


def quarantined_only(scene, swift, ours):
    wanted = {(scene.device('h0'), scene.objects[0].hash)}
    assert ours.quarantined == wanted, ours.quarantined
    assert swift.quarantined == wanted, swift.quarantined
    assert not [path for verb, path, status in ours.requests if status == 422]


@TABLE.row('one damaged fragment beside good ones on a handoff',
           differs='Swift keeps the good ones for another pass, because the session failed',
           check=lambda scene, swift, ours: good_ones_home(scene, swift, ours))
def _(scene):
    made = reverted(scene)
    for _number in range(3):
        reverted(scene)
    scene.after(lambda: flip(made.files('h0')[0]))


def good_ones_home(scene, swift, ours):
    assert ours.quarantined == {(scene.device('h0'), scene.objects[0].hash)}, ours.quarantined
    assert not ours.on(scene.device('h0'), '.data'), ours.on(scene.device('h0'))
    at_home = ours.on(scene.device('p2'), '.data')
    # Partners may have rebuilt the damaged one.
    assert len(at_home) in (3, 4), at_home


@TABLE.row('damaged archive longer than what is checked ahead', group='rounds',
           differs='Swift sends it whole; here the session is dropped at its last piece',
           check=lambda scene, swift, ours: quarantined_or_gone(scene, swift, ours))
def _(scene):
    made = scene.object().put_where(OTHERS, size=9 << 20).put(on={'h0': 2}, size=9 << 20)
    scene.after(lambda: flip(made.files('h0')[0]))


def quarantined_or_gone(scene, swift, ours):
    assert ours.quarantined == {(scene.device('h0'), scene.objects[0].hash)}, ours.quarantined
    assert swift.names('.data') == ours.names('.data'), ours.names('.data')


@TABLE.row('fragment without metadata on a handoff')
def _(scene):
    made = reverted(scene)
    scene.after(lambda: os.removexattr(made.files('h0')[0], 'user.swift.metadata'))


@TABLE.row('fragment with broken metadata on a handoff')
def _(scene):
    made = reverted(scene)
    scene.after(lambda: os.setxattr(made.files('h0')[0], 'user.swift.metadata', b'\x80\x02nonsense'))


@TABLE.row('broken .meta beside a fragment on a handoff')
def _(scene):
    made = reverted(scene)
    made.post(-HOUR / 2, ['h0'])
    scene.after(lambda: os.setxattr(made.files('h0', '.meta')[0], 'user.swift.metadata', b'nonsense'))


@TABLE.row('fragment whose metadata names another object')
def _(scene):
    made, other = reverted(scene), scene.object()

    def swap():
        os.makedirs(other.folder('h0'), exist_ok=True)
        shutil.move(made.files('h0')[0], other.folder('h0'))
        os.rmdir(made.folder('h0'))
    scene.after(swap)


def ninth_kept(scene, swift, ours):
    assert any('#9#' in name for name in ours.on(scene.device('h0'))), 'it is gone'
    assert not swift.on(scene.device('h0')), 'Swift left it alone, too'


@TABLE.row('impossible fragment index on a handoff', differs=NEVER_DELETED, check=ninth_kept)
def _(scene):
    made = reverted(scene)

    def rename():
        path = made.files('h0')[0]
        os.rename(path, path.replace('#2#', '#9#'))
    scene.after(rename)


@TABLE.row('fragment under a wrong index in its name',
           differs='its file name and its metadata disagree: it is not sent, and stays',
           check=lambda scene, swift, ours: wrong_name_stays(scene, ours))
def _(scene):
    made = reverted(scene)

    def rename():
        path = made.files('h0')[0]
        os.rename(path, path.replace('#2#', '#3#'))
    scene.object().put()
    scene.after(rename)
    scene.after(lambda: shutil.rmtree(made.folder('p3')))


def wrong_name_stays(scene, state):
    assert state.on(scene.device('h0'), '.data'), 'it is gone'


@TABLE.row('hashes.pkl is nonsense')
def _(scene):
    reverted(scene)
    for part in ('h0', 'p1'):
        scene.after(lambda part=part: touch(scene.partition_folder(part) + '/hashes.pkl'))


@TABLE.row('hashes.invalid is nonsense')
def _(scene):
    reverted(scene)
    scene.after(lambda: touch(scene.partition_folder('h0') + '/hashes.invalid', 'ab\nxyz\n\n'))


@TABLE.row('no hash files at all')
def _(scene):
    reverted(scene)
    for part in ('h0', 'p1', 'p2'):
        scene.after(lambda part=part: [os.unlink(f'{scene.partition_folder(part)}/{name}')
                                       for name in ('hashes.pkl', 'hashes.invalid')
                                       if os.path.exists(f'{scene.partition_folder(part)}/{name}')])


@TABLE.row('empty folders on a handoff')
def _(scene):
    made = scene.object().put()
    scene.after(lambda: os.makedirs(made.folder('h0')))
    scene.after(lambda: os.makedirs(scene.partition_folder('h1')))
    scene.after(lambda: os.makedirs(scene.partition_folder('h2') + '/0ff'))


@TABLE.row('empty folders on a handoff, two passes later', group='rounds')
def _(scene):
    made = scene.object().put()
    scene.after(lambda: os.makedirs(made.folder('h0')))
    scene.after(lambda: os.makedirs(scene.partition_folder('h1')))
    scene.after(lambda: os.makedirs(scene.partition_folder('h2') + '/0ff'))


@TABLE.row('reverted partition is removed by a later pass', group='rounds', check=all_at_home)
def _(scene):
    for number in range(4):
        scene.object().put_where(OTHERS, size=number).put(on={'h0': 2}, size=number)
