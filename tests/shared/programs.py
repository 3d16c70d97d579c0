# SPDX-License-Identifier: Apache-2.0
"""Programs that tests run in a Python of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

from places import PYTHONPATH


def answer_of(*programs: str) -> Any:
    """Run *programs* in one fresh Python; return the JSON that they print."""
    program = "".join(textwrap.dedent(one) for one in programs)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
