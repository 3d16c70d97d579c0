# SPDX-License-Identifier: Apache-2.0
"""A command that advice names runs as it is printed."""

from __future__ import annotations

import json
import shlex

import pytest
from builders import numbered, written

from nova_profiler.cli import main
from nova_profiler.groups import BUCKETS, EITHER
from nova_profiler.reading.advice import page
from nova_profiler.record import CallTotals

PROGRAM = "/opt/env of nova/bin/nova-profiler"


@pytest.fixture
def _started(monkeypatch):
    """As by a path that a shell does not find."""
    monkeypatch.setattr(page, "command_name", lambda: shlex.quote(PROGRAM))


def commands_in(shown: str) -> list[list[str]]:
    """Return the words of each command on a page."""
    lines = [
        shlex.split(line) for line in shown.splitlines() if PROGRAM in line
    ]
    for words in lines:
        assert words[0] == PROGRAM
    return [words[1:] for words in lines]


def records_with(part: str, **more):
    """Return requests with *part* as their largest part."""
    return [
        numbered(
            n,
            duration_ms=100.0,
            breakdown_ms={part: 90.0},
            calls=[CallTotals("db_api", "instance_get", 1, 4.0, 4.0)],
            **more,
        )
        for n in range(3)
    ]


@pytest.mark.usefixtures("_started")
@pytest.mark.parametrize(
    "part",
    [bucket.name for bucket in BUCKETS if bucket != EITHER],
)
@pytest.mark.parametrize("source", ["dumps", "log"])
def test_the_command_of_a_part_runs(tmp_path, capsys, part, source):
    """With the program, the place and the route that it is about."""
    own = records_with(
        part, action="rebuild", route="/v2.1/servers/{id}/action"
    )
    others = records_with(part)
    place = tmp_path / "the dumps"
    if source == "dumps":
        written(place, *own, *others)
        where = ["--dump-dir", str(place)]
    else:
        place.write_text(
            "".join(json.dumps(one.to_dict()) + "\n" for one in own + others)
        )
        where = [str(place)]

    assert main(["calls", *where]) == 0
    commands = commands_in(capsys.readouterr().out)
    assert commands or part != "sql"
    for words in commands:
        assert words[-2:-1] == ["--route"]
        assert set(where) < set(words)
        assert main(words) == 0
        shown = capsys.readouterr()
        assert "no dumps" not in shown.err
        assert "no such" not in shown.err


@pytest.mark.usefixtures("_started")
def test_a_log_from_a_pipe_cannot_be_read_again():
    assert page.source_of_logs(["a.log", "-"]) is None
    assert page.source_of_logs([]) is None
