# SPDX-License-Identifier: Apache-2.0
"""Programs that tests run in a Python of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from places import PYTHONPATH, ROOT


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


def quick_bench(command: str, path: Path, *options: str) -> dict[str, Any]:
    """Run a benchmark as a smoke test; return what it wrote to *path*."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", command, "--quick"),
            *(*options, "--json", str(path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(path.read_text())
    return results
