#!/usr/bin/python3
"""Swift's own functions on a recon cache that a C++ test updates, too.

    recon_rival.py random FILE OPERATIONS SEED COUNT   dumps COUNT random updates into FILE with
        Swift's function; writes each of them, and what FILE held after it, to OPERATIONS (JSON)
    recon_rival.py count FILE KEY COUNT                dumps {KEY: 1}, {KEY: 2}, ... as fast as it can
    recon_rival.py middleware FILE                     prints what the recon middleware answers
"""
import json
import logging
import os
import random
import sys

try:
    from swift.common import utils
    from swift.common.middleware import recon
except ImportError:
    sys.exit(77)

logger = logging.getLogger('rival')
NAMES = ['d1', 'd2', 'sd"b', 'x\\y', 'é', '\U0001f600', 'a', 'replication_last']


def random_value(dice):
    return dice.choice([dice.random(), dice.randrange(10 ** 25), -7, 1e22, 1e-7, None, True, 'text é',
                        [1, {'x': []}], dice.uniform(0, 2e9)])


def random_update(dice):
    update = {}
    for name in dice.sample(NAMES, dice.randrange(1, 4)):
        if dice.random() < 0.5:
            update[name] = random_value(dice)
        else:
            update[name] = {inner: {} if dice.random() < 0.3 else random_value(dice)
                            for inner in dice.sample(NAMES, dice.randrange(0, 4))}
    return update


def main():
    mode, path = sys.argv[1:3]
    if mode == 'random':
        dice = random.Random(int(sys.argv[4]))
        operations = []
        for _ in range(int(sys.argv[5])):
            update = random_update(dice)
            utils.dump_recon_cache(update, path, logger)
            with open(path, encoding='ascii') as held:
                operations.append({'update': [
                    [name, json.dumps(value) if not isinstance(value, dict) else
                     {inner: '' if v == {} else json.dumps(v) for inner, v in value.items()}]
                    for name, value in update.items()], 'held': held.read()})
        with open(sys.argv[3], 'w', encoding='utf-8') as out:
            json.dump(operations, out)
    elif mode == 'count':
        for number in range(1, int(sys.argv[4]) + 1):
            utils.dump_recon_cache({sys.argv[3]: number, 'per_disk': {sys.argv[3]: {'n': number}}},
                                   path, logger, lock_timeout=60)
    else:
        app = recon.ReconMiddleware(None, {'recon_cache_path': os.path.dirname(path)})
        print(json.dumps(app.get_reconstruction_info()))


main()
