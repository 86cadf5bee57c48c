#!/usr/bin/python3
"""The tables once more for a policy of replication type: whole objects, one hash a suffix; and
Swift's own object-replicator, which sends them to our server."""

import os
import pickle
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import get_test  # noqa: E402
import put_test  # noqa: E402
import ssync_test  # noqa: E402
import two_servers  # noqa: E402
from ssync_test import T  # noqa: E402

WHOLE = two_servers.whole(ssync_test.OBJECTS)
HERE = os.path.dirname(os.path.abspath(__file__))


class Get(get_test.GetTable):
    objects, damaged = two_servers.whole(get_test.OBJECTS), two_servers.whole(get_test.DAMAGED)
    folded = two_servers.whole(get_test.FOLDED)
    policy, quarantine = {'X-Backend-Storage-Policy-Index': '0'}, 'objects'


class Ssync(ssync_test.SsyncTable):
    objects, policy, index = WHOLE, 0, None


class IndexOfNoAccount(Ssync):
    """What a sender says of an index is not looked at, as by Swift."""

    index = 7
    test_offers_are_weighed_as_swift_weighs_them = test_single_offers_commit_what_waits = None
    test_hashes_afterwards_are_equal = None
    test_a_post_to_what_turns_out_damaged_is_no_success = None


class Put(put_test.PutTable):
    objects, policy = WHOLE, 0
    test_the_conversation_of_two_phases = test_swifts_updater_reads_what_is_left_for_it = None
    test_a_body_that_breaks_off_leaves_nothing = None


class Replicator(unittest.TestCase):
    """Two devices, one of them behind our server; Swift's object-replicator has to make it equal."""

    def history(self, dice, number):
        events = []
        for at in sorted(dice.sample(T, dice.randrange(1, 4))):
            deleted = not events or events[-1]['op'] == 'delete'
            kind = 'put' if deleted else dice.choice(['put', 'put', 'post', 'delete'])
            events.append({'op': kind, 'at': at, 'bytes': dice.choice([0, 10, 3000, 700000]),
                           'headers': {'X-Object-Meta-At': at}})
        return {'device': 'sda', 'partition': 'own', 'policy': 0, 'name': f'/a/c/o{number}',
                'events': events}

    def test_swifts_replicator_finds_nothing_to_do_afterwards(self):
        seed = int(os.environ.get('FRAGMEND_SEED', random.randrange(1 << 30)))
        print(f'FRAGMEND_SEED={seed}')
        dice = random.Random(seed)
        stage = two_servers.Stage()
        self.addCleanup(stage.close)
        objects = [self.history(dice, number) for number in range(120)]
        stage.fill(objects)
        # What both have already, and what only the receiver has in an older version.
        stage.fill([dict(one, device='sdb', events=one['events'][:1]) for one in objects[::3]])
        server = stage.start('ours')
        passes = [self.replicate(server) for _ in range(3)]
        self.assertGreater(passes[0]['suffix_sync'], 0, passes)
        self.assertEqual(passes[2]['suffix_sync'], 0, f'{passes}\n{server.log()[-3000:]}')
        self.assertEqual([one['failure'] for one in passes], [0, 0, 0])
        hashes, files = {}, {}
        for device in ('sda', 'sdb'):
            for number in range(16):
                answer = server.request('REPLICATE', f'/{device}/{number}',
                                        {'X-Backend-Storage-Policy-Index': '0'})
                hashes.setdefault(device, []).append(pickle.loads(answer.body))
            top = os.path.join(server.root, 'srv', device, 'objects')
            files[device] = {path: (data, ssync_test.metadata(os.path.join(top, path)))
                             for path, data in two_servers.tree(top).items()
                             if path.endswith(('.data', '.meta', '.ts'))}
        self.assertEqual(hashes['sda'], hashes['sdb'])
        self.assertEqual(files['sda'], files['sdb'])
        self.assertGreater(len(files['sda']), 100)

    def replicate(self, server):
        """One pass from sda, over SSYNC; what Swift counted."""
        done = subprocess.run(
            ['/usr/bin/python3', '-W', 'ignore', os.path.join(HERE, 'swift_replicator.py'),
             server.root, str(server.port)], stdout=subprocess.PIPE, check=True, timeout=120)
        return eval(done.stdout.decode().strip().splitlines()[-1])  # a dict of numbers, by us


if __name__ == '__main__':
    two_servers.skip_without_swift()
    unittest.main()
