# SPDX-License-Identifier: Apache-2.0
"""nova-conductor as its command starts it, without eventlet.

Ends when its standard input is closed. Run with nova-conductor's arguments.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import nova.monkey_patch

nova.monkey_patch.patch()

from nova.cmd import conductor
from nova.scheduler.client import report


def _end_with_input() -> None:
    # Past sys.stdin, whose lock a fork would copy.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.argv[0] = "nova-conductor"
    # There is no placement here, and none is asked for.
    report.report_client_singleton = lambda: None
    threading.Thread(target=_end_with_input, daemon=True).start()
    conductor.main()
