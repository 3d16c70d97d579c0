# SPDX-License-Identifier: Apache-2.0
"""Two slow requests at once in threads: what each engine has of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from places import PROGRAMS, PYTHONPATH

from nova_profiler.capture.profilers.cprofile.notes import MIXED, SKIPPED
from nova_profiler.capture.profilers.cprofile.scopes import BUSY, PROCESS_WIDE

SCRIPT = PROGRAMS / "two_at_once.py"


def dumps_of(engine: str, directory: Path) -> list[dict[str, Any]]:
    """Return what is in the dumps of both requests."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), engine, str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def assert_each_has_its_own(dumps: list[dict[str, Any]]) -> None:
    """Both sides have stacks, and none that is the other's."""
    with_stacks = [dump for dump in dumps if dump["profile"]["file"]]
    assert {dump["side"] for dump in with_stacks} == {"left", "right"}
    for dump in with_stacks:
        assert dump["sides"] == [dump["side"]]


def test_pyinstrument_has_a_right_profile_of_each(tmp_path: Path) -> None:
    """On every version of Python."""
    pytest.importorskip("pyinstrument")

    assert_each_has_its_own(dumps_of("pyinstrument", tmp_path))


@pytest.mark.services
@pytest.mark.slow
def test_stacks_are_right_of_each(readable: None, tmp_path: Path) -> None:
    """On every version of Python; the first may be over before it begins."""
    dumps = dumps_of("stacks", tmp_path)

    seen: dict[str, set[str]] = {side: set() for side in ("left", "right")}
    for dump in dumps:
        seen[dump["side"]] |= {*dump["sides"]}
    assert seen == {"left": {"left"}, "right": {"right"}}


@pytest.mark.skipif(PROCESS_WIDE, reason="here a process has one cProfile")
def test_cprofile_has_a_right_profile_of_each(tmp_path: Path) -> None:
    """Up to Python 3.11 each thread may have one."""
    assert_each_has_its_own(dumps_of("cprofile", tmp_path))


@pytest.mark.skipif(
    not PROCESS_WIDE, reason="here each thread may have a cProfile"
)
def test_cprofile_has_one_profile_that_says_it_is_mixed(
    tmp_path: Path,
) -> None:
    """From Python 3.12 on; and the other one's note gives the reason."""
    dumps = dumps_of("cprofile", tmp_path)

    (one,) = [dump for dump in dumps if dump["profile"]["file"]]
    (other,) = [dump for dump in dumps if not dump["profile"]["file"]]
    assert one["profile"]["overlapped"] == 1
    assert MIXED.format(1) in one["profile"]["notes"]
    assert other["profile"]["notes"] == [SKIPPED.format(BUSY)]
