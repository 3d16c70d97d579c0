# SPDX-License-Identifier: Apache-2.0
"""Runs marked_app in a process of its own, for a with statement."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from places import ROOT


@contextmanager
def running(mode: str, url: str, log_file: Path) -> Iterator[int]:
    """Run marked_app in a process of its own; yields its port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.functional.programs.marked_app"),
            *(mode, url, str(log_file)),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        yield int(process.stdout.readline())
        process.stdin.close()
        process.wait(30)
