# SPDX-License-Identifier: Apache-2.0
"""Stacks that are taken of the real nova-api from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from services import readable_here

from demo import load
from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.profiles import STACKS
from nova_profiler.profiles.timed_stacks import timed_stacks_of

pytestmark = [pytest.mark.functional, pytest.mark.services]

CLIENTS = 4
REQUESTS = 6
MOST_ROUNDS = 20
# A thread may go on after its request, until the reader knows.
ENDS_US = 200_000
PATHS = ("/v2.1/servers/detail", "/v2.1/servers")
# The function that only one of the routes runs.
OWN = {
    path: re.compile(rf"\b{name}\0\S*/openstack/compute/servers\.py")
    for path, name in zip(PATHS, ("detail", "index"), strict=True)
}


class Run(NamedTuple):
    """A nova-api that was asked for two routes at once, and has ended."""

    rounds: int
    dumps: list[dict[str, Any]]
    sessions: dict[str, dict[str, Any]]
    processes: list[str]


@pytest.fixture(
    scope="module",
    params=[
        "threads",
        "eventlet",
        "uwsgi",
    ],
)
def run(request: pytest.FixtureRequest) -> Run:
    """Return a run in one mode with every request dumped."""
    mode = request.param
    readable_here()
    directory = nova_api.new_directory(f"tests/stacks-{mode}")
    urls = sqlite_files.urls(directory, 10, print)
    profiler = {
        "profiler": STACKS,
        "profiler_interval_ms": "5",
        "profile_when": "always",
        "dump_dir": str(directory / "dumps"),
        "dump_when": "all",
    }
    with nova_api.running(directory, urls, mode, profiler) as api:
        asked = 0
        # Short requests are seen by chance: ask until both have been.
        while asked < MOST_ROUNDS and not _has_both(directory):
            asked += 1
            for path in PATHS:
                load.run(api.port, path, CLIENTS, REQUESTS)
    files = [path for path in directory.rglob("dumps/*/*") if path.is_file()]
    return Run(
        asked,
        [json.loads(f.read_text()) for f in files if f.suffix == ".json"],
        {
            f.name: json.loads(f.read_text())
            for f in files
            if f.suffix == ".pyisession"
        },
        _recorders(),
    )


def _has_both(directory: Path) -> bool:
    """Return whether there are stacks of both routes' functions."""
    texts = [
        # As JSON writes the separator of a frame's parts.
        path.read_text().replace("\\u0000", "\0")
        for path in directory.rglob("*.pyisession")
        if path.parent.parent.name == "dumps"
    ]
    return all(any(own.search(text) for text in texts) for own in OWN.values())


def _recorders() -> list[str]:
    """Return the command lines of what looks at a process that is gone."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            pid = _looks_at(words)
            if pid and not Path("/proc", pid).exists():
                found.append(" ".join(words))
    return found


def _looks_at(words: list[str]) -> str:
    """Return the process that a command line looks at, empty if none."""
    if any("stacks.reader" in word for word in words):
        return str(json.loads(words[-2])[0])
    return ""


def test_every_dump_says_what_came_of_its_stacks(run: Run) -> None:
    """A file with samples, or a note with the reason."""
    assert len(run.dumps) == 2 * run.rounds * CLIENTS * REQUESTS
    for dump in run.dumps:
        profile = dump["profile"]
        assert profile["engine"] == STACKS
        assert profile["notes"] or profile["samples"]
        if profile.get("samples"):
            session = run.sessions[profile["file"]]
            assert session["sample_count"] == profile["samples"]


def test_stacks_are_of_the_route_that_the_dump_names(run: Run) -> None:
    """No sample of a list in detail in a plain list, nor the reverse."""
    seen = dict.fromkeys(PATHS, 0)
    for dump in run.dumps:
        session = run.sessions.get(dump["profile"]["file"] or "")
        others = [path for path in PATHS if path != dump["route"]]
        for stack, _ in (session or {"frame_records": []})["frame_records"]:
            text = "\n".join(stack)
            seen[dump["route"]] += bool(OWN[dump["route"]].search(text))
            assert not any(OWN[path].search(text) for path in others), text

    assert all(seen.values()), seen


def test_stacks_have_their_lane_and_their_time(run: Run) -> None:
    """Within the request, and no longer than their sums."""
    lanes = 0
    for dump in run.dumps:
        session = run.sessions.get(dump["profile"]["file"] or "")
        if session is None:
            continue
        timed = timed_stacks_of(
            session["nova_profiler_timed"], len(session["frame_records"])
        )
        assert timed is not None
        known = {call["lane"] for call in dump["timeline"]} | {0}
        lanes += len(known & set(timed.lane))
        assert timed.start_us == sorted(timed.start_us)
        ends_us = 1000 * dump["duration_ms"] + ENDS_US
        assert all(
            start_us + us <= ends_us for _, _, start_us, us in timed.rows()
        )
        sums = [0] * len(session["frame_records"])
        for _, record, _, us in timed.rows():
            sums[record] += us
        for us, (stack, seconds) in zip(
            sums, session["frame_records"], strict=True
        ):
            assert us <= 1e6 * seconds + len(timed.us), stack

    assert lanes


def test_nothing_outlives_its_worker(run: Run) -> None:
    """Whatever kind of server it was."""
    assert run.processes == []
