# SPDX-License-Identifier: Apache-2.0
"""Textfiles of node_exporter: their samples, and what promtool says."""

from __future__ import annotations

import re
import shutil
import subprocess

from services import missing

SAMPLE = re.compile(
    r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (-?[0-9.e+-]+)'
)


def samples(text: str) -> dict[tuple[str, str], float]:
    """Return the value of each sample by its name and labels."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found[name, labels or ""] = float(value)
    return found


def promtool(text: str) -> tuple[int, str]:
    """Return what promtool has against *text*."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not installed: it comes with prometheus")
    done = subprocess.run(
        [program, "check", "metrics"],
        input=text.encode(),
        capture_output=True,
        timeout=60,
    )
    return done.returncode, (done.stdout + done.stderr).decode()
