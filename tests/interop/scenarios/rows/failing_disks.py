"""Disks that answer with errors: what is asked of the operating system fails, for both alike."""

import os

import states

from . import TABLE
from .reverts import all_at_home

OTHERS = [0, 1, 3, 4, 5]


def pair(scene):
    """Two objects whose fragment 2 is to be reverted from h0; the first one meets the fault."""
    bad = scene.object().put_where(OTHERS).put(on={'h0': 2})
    scene.object().put_where(OTHERS).put(on={'h0': 2})
    return bad


def fails_at(name, groups, where, **fields):
    """A row for every error: `where(scene, made)` is the path at which system calls fail."""
    for group in groups:
        @TABLE.row(f'{group}: {name}', group=group, **fields)
        def _(scene):
            made = pair(scene)
            scene.after(lambda: scene.fails('h0', where(scene, made)))


def fragment(_scene, made):
    return made.files('h0')[0]


def kept_hashes(scene, _made):
    return scene.partition_folder('h0') + '/hashes.pkl'


ERRORS = ('eio', 'euclean', 'enodata')
fails_at('object folder cannot be listed', ERRORS, lambda scene, made: made.folder('h0'))
fails_at('suffix folder cannot be listed', ERRORS,
         lambda scene, made: os.path.dirname(made.folder('h0')))
fails_at('metadata of a fragment cannot be read', ERRORS, fragment)
fails_at('kept hashes cannot be read', ('unreadable',), kept_hashes)


def bad_one_quarantined(scene, swift, ours):
    wanted = {(scene.device('h0'), scene.objects[0].hash)}
    assert swift.quarantined == ours.quarantined == wanted, (swift.quarantined, ours.quarantined)
    assert ours.on(scene.device('p2'), '.data'), 'the good one did not go home'
    assert not ours.on(scene.device('h0'), '.data'), ours.on(scene.device('h0'))


def no_empty_folders(scene, swift, ours):
    lines = states.differences(swift, ours)
    folders = [line for line in lines if line.endswith('is missing') and ': folder ' in line]
    assert lines == folders, lines


fails_at('bytes of a fragment cannot be read', ('unreadable',), fragment,
         differs='Swift begins to send it, and loses the session and what came after it',
         check=bad_one_quarantined, receiver_check=no_empty_folders,
         receiver_differs="Swift's server leaves an empty folder where a PUT broke off")
fails_at('partition folder cannot be listed', ('eio_partition',),
         lambda scene, made: scene.partition_folder('h0'),
         logs=('top-level reconstruction loop|Unable to hash partition',))


@TABLE.row('eio_partition: the partitions beside one that cannot be listed', group='eio_partition',
           differs="one partition that cannot be listed ends Swift's pass", chance=True,
           check=lambda scene, swift, ours: all_at_home(scene, ours))
def _(scene):
    pair(scene)


def nothing_left_behind(scene, swift, ours):
    assert swift.names('.data') == ours.names('.data'), ours.names('.data')
    assert not ours.names('.tmp'), ours.names()


@TABLE.row('kept hashes cannot be written', group='enospc', check=nothing_left_behind, chance=True,
           differs='Swift leaves its temporary files behind, under names drawn by chance',
           logs=('No space left on device',))
def _(scene):
    pair(scene)


@TABLE.row('no fault, as the others show it', group='eio', check=all_at_home)
def _(scene):
    pair(scene)


@TABLE.row('handoff on a disk that takes no writing', group='read_only')
def _(scene):
    pair(scene)
    scene.read_only('h0')
