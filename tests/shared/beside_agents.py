# SPDX-License-Identifier: Apache-2.0
"""What is different for an application and an agent, once the filter comes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from places import PROGRAMS, PYTHONPATH

ORDERS = ("agent-first", "filter-first")


def differences(agent: str) -> list[str]:
    """Return what differs from the agent without the filter, in both orders.

    That is results and errors of each way to work, and what the agent has
    seen of it; and statements that the record has not exactly once.
    """
    alone, *beside = _outcomes(agent, "alone", *ORDERS)
    return [
        f"{order}, {difference}"
        for order, outcome in zip(ORDERS, beside, strict=True)
        for phase, ways in alone.items()
        for way, expected in ways.items()
        for difference in _of_way(phase, way, expected, outcome[phase][way])
    ]


def _of_way(
    phase: str, way: str, expected: dict[str, Any], got: dict[str, Any]
) -> Iterator[str]:
    names = ["result", "errors"]
    if phase == "beside":
        names.append("seen")
    for name in names:
        if got.get(name) != expected.get(name):
            yield (
                f"{phase}, {way}, {name}: {expected.get(name)} without the "
                f"filter, {got.get(name)} with it"
            )
    recorded, executed = got.get("statements"), got.get("queries")
    if recorded is not None and recorded != executed:
        yield (
            f"{phase}, {way}: {executed} statements, "
            f"{recorded} of them in the record"
        )


def _outcomes(agent: str, *orders: str) -> list[Any]:
    """Return what the program printed for each of *orders*, run at once."""
    folder = tempfile.mkdtemp()
    environ = {**os.environ, "PYTHONPATH": PYTHONPATH, "TMPDIR": folder}
    command = [sys.executable, str(Path(PROGRAMS) / "beside_agent.py"), agent]
    try:
        running = [
            subprocess.Popen(
                [*command, order],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environ,
            )
            for order in orders
        ]
        outcomes = []
        for process in running:
            output, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
            outcomes.append(json.loads(output.splitlines()[-1]))
        return outcomes
    finally:
        shutil.rmtree(folder, ignore_errors=True)
