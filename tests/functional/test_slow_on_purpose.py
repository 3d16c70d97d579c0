# SPDX-License-Identifier: Apache-2.0
"""What was made slow in the real nova-api is named, with its time."""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from places import ROOT
from services import readable_here

from demo import load
from demo.databases import sqlite_files
from demo.server import configuration, nova_api
from nova_profiler.profiles import (
    IN_LINE,
    RAN_UNSEEN,
    STACKS,
    WAITED_UNSEEN,
    WAITING,
    WAITING_FOR_GIL,
)

pytestmark = [pytest.mark.functional, pytest.mark.services]

FOLDER = ROOT / "tests" / "functional" / "programs" / "slowed"
sys.path.append(str(FOLDER))
import slowed_filter

PATH = "/v2.1/flavors"
REQUESTS = 6
WAITS = {WAITING, WAITING_FOR_GIL}
SUMS = {IN_LINE, RAN_UNSEEN, WAITED_UNSEEN}


class Found(NamedTuple):
    """Seconds of all requests by function and state, and the dumps."""

    seconds: dict[tuple[str, str], float]
    lines: dict[str, set[int]]
    profiles: list[dict[str, Any]]


def with_slowed(paste: str) -> str:
    """Return *paste* with the slow filter before nova's application."""
    changed, times = re.subn(
        r"^(keystone = .*)(osapi_compute_app_v21)$",
        r"\1slowed \2",
        paste,
        flags=re.M,
    )
    assert times
    return f"{changed}\n[filter:slowed]\npaste.filter_factory = " + (
        "slowed_filter:factory\n"
    )


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def found(request: pytest.FixtureRequest) -> Found:
    """Return what the dumps of slow requests have, in one mode."""
    readable_here()
    mode = request.param
    directory = nova_api.new_directory(f"tests/slowed-{mode}")
    urls = sqlite_files.urls(directory, 1, print)
    profiler = {
        "profiler": STACKS,
        "slow_ms": "500",
        "dump_dir": str(directory / "dumps"),
    }
    token_check = configuration.with_token_check
    places = [str(FOLDER), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
        patch.setattr(
            configuration,
            "with_token_check",
            lambda paste: with_slowed(token_check(paste)),
        )
        with nova_api.running(directory, urls, mode, profiler) as api:
            # The reader begins with the first of them.
            load.run(api.port, PATH, 1, 2 + REQUESTS)
    return added_up(directory / "dumps")


def added_up(dumps: Path) -> Found:
    """Return the times of the slow functions in the last requests."""
    seconds: dict[tuple[str, str], float] = {}
    lines: dict[str, set[int]] = {}
    paths = sorted(dumps.rglob("*.json"))[-REQUESTS:]
    profiles = [json.loads(path.read_text())["profile"] for path in paths]
    for path in paths:
        session = json.loads(path.with_suffix(".pyisession").read_text())
        for stack, time_s in session["frame_records"]:
            name, line = slow_frame(stack)
            key = name, stack[-1] if stack[-1] in {*WAITS, *SUMS} else "runs"
            seconds[key] = seconds.get(key, 0.0) + time_s
            lines.setdefault(name, set()).add(line)
    return Found(seconds, lines, profiles)


def slow_frame(stack: list[str]) -> tuple[str, int]:
    """Return which slow function a stack has, and the line in it."""
    for frame in stack:
        name, _, rest = frame.partition("\0")
        if name.startswith("slow_in"):
            return name, int(rest.rpartition("\x01l")[2] or 0)
    return "", 0


def line_of(function: Any, text: str) -> int:
    """Return the line of *function* that has *text*."""
    source, first = inspect.getsourcelines(function)
    (found,) = [n for n, line in enumerate(source) if text in line]
    return first + found


def waited(found: Found, name: str) -> float:
    return sum(found.seconds.get((name, state), 0.0) for state in WAITS)


def test_each_request_was_looked_at_often(found: Found) -> None:
    """Slow ones have more than a handful of looks."""
    assert len(found.profiles) == REQUESTS
    for profile in found.profiles:
        assert profile["file"]
        assert profile["samples"] >= 10


def test_python_that_works_has_its_time_and_lines(found: Found) -> None:
    """By the clock of its thread, whatever else the machine does."""
    name, wanted = "slow_in_python", REQUESTS * slowed_filter.PYTHON_S
    function = slowed_filter.slow_in_python
    of_loop = {line_of(function, text) for text in ("sum(range", "while time")}

    assert found.lines[name] & of_loop
    # What ran between two looks that found something else has no place.
    ran = found.seconds[name, "runs"]
    unseen = found.seconds.get(("", RAN_UNSEEN), 0.0)
    in_line = found.seconds.get(("", IN_LINE), 0.0)
    assert 0.6 * wanted <= ran + unseen
    if "ran_ms" in found.profiles[0]:
        # Under eventlet no clock is a request's own.
        assert ran <= 1.3 * wanted + in_line


@pytest.mark.parametrize(
    ("function", "text", "wanted_s"),
    [
        (slowed_filter.slow_in_a_lock, "timeout", slowed_filter.LOCK_S),
        (slowed_filter.slow_in_a_sleep, "time.sleep", slowed_filter.SLEEP_S),
    ],
)
def test_what_waits_has_its_time_and_line(
    found: Found, function: Any, text: str, wanted_s: float
) -> None:
    """In a lock, or in a sleep."""
    name, wanted = function.__name__, REQUESTS * wanted_s

    assert line_of(function, text) in found.lines[name]
    # Some of it may stand between two looks, or be in line afterwards.
    unseen = found.seconds.get(("", WAITED_UNSEEN), 0.0)
    assert 0.6 * wanted <= waited(found, name) + unseen
    assert waited(found, name) <= 1.3 * wanted + found.seconds.get(
        ("", IN_LINE), 0.0
    )
