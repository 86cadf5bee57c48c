"""All rows of the table."""

from stage import Table

TABLE = Table()

from . import (metas, nondurable, odd_disks, options, quarantine, reverts, syncs,  # noqa: E402,F401
               tombstones)
