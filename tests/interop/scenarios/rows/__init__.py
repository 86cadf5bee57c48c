"""All rows of the table."""

from stage import Table

TABLE = Table()

from . import reverts  # noqa: E402,F401
