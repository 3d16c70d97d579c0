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


def answer_of(program: str) -> Any:
    """Run *program* in a fresh Python; return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
