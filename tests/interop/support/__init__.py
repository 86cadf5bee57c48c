"""What the end-to-end tests share: the program under test, objects, disks, and the test case."""

import os
import sys

# The lab is a folder of programs, not an installed package.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), 'lab'))
