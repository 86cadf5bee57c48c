#!/usr/bin/python3
"""What `swift-init COMMAND object-reconstructor` does, for a script: Swift's own manager.

    manager_driver.py RUN_DIR COMMAND [NAME=VALUE...]

Debian ships the manager without the program `swift-init`. Exits with what the manager returns; the
last line says how long it took.
"""

import sys
import time

from swift.common import manager


def main():
    options = dict(word.split('=') for word in sys.argv[3:])
    for name, value in options.items():
        options[name] = int(value) if value.isdigit() else value
    made = manager.Manager(['object-reconstructor'], run_dir=sys.argv[1])
    started = time.monotonic()
    status = getattr(made, sys.argv[2])(**{'wait': True, 'daemon': True, 'once': False,
                                              'kill_wait': 15, 'kill_after_timeout': False,
                                              **options})
    print(f'took {time.monotonic() - started:.1f} s')
    sys.exit(status)


if __name__ == '__main__':
    main()
