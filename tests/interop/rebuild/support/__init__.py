"""What the end-to-end tests share: the program under test, objects, disks, and the test case."""

import os
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4))
# The lab is a folder of programs, not an installed package.
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lab'))
