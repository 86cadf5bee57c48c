"""Primaries that lack what their partners have."""

import os
import shutil

from . import TABLE
from .reverts import OLD_BYTES, all_at_home, only_one_new

HOUR = 3600
PRIMARIES = [f'p{index}' for index in range(6)]
ONCE_EACH = 'who finds a lack first is a matter of order; Fragmend compares anew before it sends'


@TABLE.row('nothing to do', check=all_at_home)
def _(scene):
    scene.object().put()


@TABLE.row('one primary lacks its fragment', check=all_at_home)
def _(scene):
    scene.object().put_where([0, 1, 2, 4, 5])


@TABLE.row('two primaries lack theirs', check=all_at_home, requests_differ=ONCE_EACH)
def _(scene):
    scene.object().put_where([0, 2, 3, 5])


@TABLE.row('one primary lacks the whole partition', check=all_at_home)
def _(scene):
    for _number in range(3):
        scene.object().put()
    scene.after(lambda: shutil.rmtree(scene.partition_folder('p3')))


@TABLE.row('one primary has an older version', check=all_at_home)
def _(scene):
    scene.object().put(at=-2 * HOUR).put_where([0, 1, 2, 4, 5])


@TABLE.row('one primary has a newer version alone', differs=OLD_BYTES,
           check=only_one_new)
def _(scene):
    scene.object().put(at=-2 * HOUR).put_where([3])


@TABLE.row('too few fragments')
def _(scene):
    scene.object().put_where([0, 3, 5])


@TABLE.row('older version rebuilt while a newer has too few fragments')
def _(scene):
    scene.object().put_where([0, 1, 2, 4, 5], at=-2 * HOUR).put_where([4, 5])


@TABLE.row('duplicated policy: one of both copies is lacking', duplicated=True,
           requests_differ=ONCE_EACH)
def _(scene):
    scene.object().put(on={'p0': 0, 'p3': 0, 'p1': 1, 'p2': 2, 'p5': 2})


@TABLE.row('empty partition on a primary stays')
def _(scene):
    scene.after(lambda: os.makedirs(scene.partition_folder('p1')))
