#!/usr/bin/python3
"""Entry of the real Swift lab: `python3 tests/lab/lab.py --help`, or `from lab import Lab`."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from swiftlab.cluster import Lab, LabError  # noqa: E402
from swiftlab.measured_run import RunResult  # noqa: E402
from swiftlab.snapshots import compare  # noqa: E402
from swiftlab.spec import LabSpec, PolicySpec, SpecError  # noqa: E402

__all__ = ['Lab', 'LabError', 'LabSpec', 'PolicySpec', 'RunResult', 'SpecError', 'compare']

if __name__ == '__main__':
    from swiftlab.cli import main
    sys.exit(main())
