"""Swift's own dispersion report of one policy, as JSON: `dispersion.py URL POLICY_INDEX`, in a lab.

The program swift-dispersion-report in all but its login: the lab's proxy asks for none.
"""

import json
import sys

import eventlet.patcher

eventlet.patcher.monkey_patch(all=False, socket=True)

from swift.common import internal_client  # noqa: E402
from swift.common.storage_policy import POLICIES  # noqa: E402

URL, POLICY = sys.argv[1], POLICIES.get_by_index(int(sys.argv[2]))
sys.modules.setdefault('swiftclient', None)     # Whatever is installed: the next line is meant.
internal_client.get_auth = lambda *_args, **_options: (URL, 'none')

from swift.cli.dispersion_report import generate_report  # noqa: E402

print(json.dumps(generate_report({'auth_url': URL, 'auth_user': '-', 'auth_key': '-', 'dump_json': 'y',
                                  'retries': '1', 'container_report': 'no'}, POLICY.name)))
