"""Read by every Python that starts inside a lab of somebody who is not root; see swiftlab.cluster.

Such a lab has one user only, and the kernel forbids setgroups there. Swift's programs call it to
become the user they already are: that must not fail.
"""

import os

_setgroups = os.setgroups


def _tolerant_setgroups(groups):
    try:
        _setgroups(groups)
    except PermissionError:
        pass


os.setgroups = _tolerant_setgroups
