# SPDX-License-Identifier: Apache-2.0
"""The real Firefox Profiler opens what is exported for it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from builders import parallel_detail, slow_rebuild, written
from profile_builders import (
    API,
    ORM,
    rebuild_samples,
    timed_session,
    write_session,
)

from nova_profiler.cli import main

pytestmark = [pytest.mark.functional]

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".state" / "firefox-profiler" / "node_modules"
NODE = PACKAGES / "node" / "bin" / "node"
PROGRAM = PACKAGES / "@firefox-devtools/profiler-cli/dist/profiler-cli.js"
# Its process in the background may still be starting.
ATTEMPTS = 20


class Profiler:
    """The Firefox Profiler without its window, over one profile."""

    def __init__(self, folder: Path) -> None:
        self._environ = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(folder)}

    def load(self, path: Path) -> None:
        """Open *path*; RuntimeError where it is refused."""
        done = self._run("load", str(path))
        for _ in range(ATTEMPTS):
            if self._run("profile", "info").returncode == 0:
                return
        raise RuntimeError(done.stderr)

    def asked(self, *command: str) -> dict:
        """Return the answer to *command*."""
        done = self._run(*command, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict = json.loads(done.stdout)
        return answer

    def stop(self) -> None:
        """End the process that has the profile."""
        self._run("stop", "--all")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [NODE, PROGRAM, *command],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def profiler(tmp_path):
    """Give the Firefox Profiler; where it was not installed, skip."""
    if not (NODE.exists() and PROGRAM.exists()):
        pytest.skip("no Firefox Profiler: make firefox-profiler installs it")
    begun = Profiler(tmp_path / "sessions")
    yield begun
    begun.stop()


@pytest.fixture
def dumps(tmp_path):
    paths = written(tmp_path / "d", slow_rebuild(), parallel_detail())
    write_session(paths[0].with_suffix(".pyisession"), *rebuild_samples())
    return tmp_path / "d"


def exported(dumps, tmp_path, how):
    path = tmp_path / f"requests.{how}.json"
    arguments = ["--dump-dir", str(dumps), "--format", how, "-o", str(path)]
    assert main(["export", *arguments]) == 0
    return path


def test_markers_and_samples_of_one_file(profiler, dumps, tmp_path):
    """Threads by lane, markers by call, functions by their time."""
    profiler.load(exported(dumps, tmp_path, "firefox"))

    found = profiler.asked("profile", "info", "--all")
    threads = {
        thread["name"]: thread["threadHandle"]
        for process in found["processes"]
        for thread in process["threads"]
        if "rebuild" in process["name"]
    }
    assert found["processCount"] == 2
    assert list(threads) == [
        "the request's own thread",
        "stacks: widths are time, their order is not",
    ]
    own, stacks = threads.values()
    markers = json.dumps(
        profiler.asked("thread", "markers", "--list", "--thread", own)
    )
    assert "SELECT anon_1.instances_id" in markers
    tree = json.dumps(
        profiler.asked("thread", "samples-top-down", "--thread", stacks)
    )
    assert "nova.compute.api:rebuild" in tree
    functions = json.dumps(
        profiler.asked("thread", "functions", "--thread", stacks)
    )
    assert "sqlalchemy.orm.loading:instances" in functions


def test_stacks_of_a_lane_are_in_the_track_of_its_calls(
    profiler, dumps, tmp_path
):
    """Where the session has their times."""
    path = next(dumps.rglob("*.pyisession"))
    content = timed_session((0, [API, ORM], 100.0, 2000.0))
    path.write_text(json.dumps(content))
    profiler.load(exported(dumps, tmp_path, "firefox"))

    found = profiler.asked("profile", "info", "--all")
    threads = {
        thread["name"]: thread["threadHandle"]
        for process in found["processes"]
        for thread in process["threads"]
        if "rebuild" in process["name"]
    }
    assert list(threads) == ["the request's own thread"]
    (own,) = threads.values()
    markers = json.dumps(
        profiler.asked("thread", "markers", "--list", "--thread", own)
    )
    assert "SELECT anon_1.instances_id" in markers
    tree = json.dumps(
        profiler.asked("thread", "samples-top-down", "--thread", own)
    )
    assert "nova.compute.api:rebuild" in tree


def test_it_opens_trace_events_as_well(profiler, dumps, tmp_path):
    """Which it reads as those of Chrome."""
    profiler.load(exported(dumps, tmp_path, "perfetto"))

    found = profiler.asked("profile", "info", "--all")

    assert found["processCount"] == 2
