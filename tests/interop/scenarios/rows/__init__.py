"""All rows of the table."""

from stage import Table

TABLE = Table()

from . import (failing_disks, metas, nondurable, odd_disks, options,  # noqa: E402,F401
               quarantine, reverts, syncs, tombstones)
