# SPDX-License-Identifier: Apache-2.0
"""Starts a process for each reader, some at a time, and outlives them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzz.inputs.seeds import ROOT
from fuzz.trying.child import CURRENT, FOUND, outcome_of
from fuzz.trying.outcomes import Find, Outcome

# What a child may take besides: libraries, a failure that is made short, a
# machine with other work.
_GRACE_S = 300.0
_LOOK_S = 0.1
_NOTHING = {
    "tried": 0,
    "longest_s": 0.0,
    "peak_mb": 0.0,
    "slowest": {"what": "", "data": ""},
    "finds": [],
}


class _Child(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    folder: Path
    until: float


def outcomes_of(
    names: Sequence[str], seconds: float, seed: int, at_once: int
) -> Iterator[Outcome]:
    """Yield what came of each reader, in the order in which they end."""
    waiting = list(names)
    running: list[_Child] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    name = waiting.pop(0)
                    running.append(_started(name, seconds, seed, Path(place)))
                time.sleep(_LOOK_S)
                for child in list(running):
                    if _has_ended(child):
                        running.remove(child)
                        yield _outcome_of(child)
        finally:
            for child in running:
                child.process.kill()
                child.process.wait()


def _started(name: str, seconds: float, seed: int, place: Path) -> _Child:
    folder = place / name
    folder.mkdir()
    words = (name, str(seconds), str(seed), str(folder))
    with open(folder / "errors", "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.trying.child", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    until = time.monotonic() + seconds + _GRACE_S
    return _Child(name, process, folder, until)


def _has_ended(child: _Child) -> bool:
    if child.process.poll() is not None:
        return True
    if time.monotonic() < child.until:
        return False
    child.process.kill()
    child.process.wait()
    return True


def _outcome_of(child: _Child) -> Outcome:
    """Return what a child found; how it ended is a find if not well."""
    found = child.folder / FOUND
    fields = json.loads(found.read_text()) if found.exists() else _NOTHING
    outcome = outcome_of({**fields, "reader": child.name})
    code = child.process.returncode
    if code == 0:
        return outcome
    current = child.folder / CURRENT
    data = current.read_bytes() if current.exists() else b""
    how = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
    errors = (child.folder / "errors").read_text(errors="replace")
    last = errors.splitlines()[-1:] or [""]
    ended = Find(f"the process {how}: {last[0]}", data)
    return outcome._replace(finds=(*outcome.finds, ended))
