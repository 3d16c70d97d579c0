# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler diff`: what changed between two sets, and how surely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import numbered, written
from profile_builders import (
    API,
    CONTROLLER,
    ORM,
    REBUILD,
    RUN,
    rebuild_stats,
    stats,
    write_session,
    write_stats,
)

from nova_profiler.cli import main


def samples_of(orm: int, api: int):
    return [
        *[([CONTROLLER, API, ORM], 0.01)] * orm,
        *[([CONTROLLER, API], 0.01)] * api,
    ]


@pytest.fixture
def sets(tmp_path: Path) -> tuple[str, str]:
    """Eight requests each; in the later ones rebuild takes 60 ms, not 10.

    The ORM's part is now less, now more, in both.
    """
    for name, api in (("before", 1), ("after", 6)):
        (tmp_path / name).mkdir()
        for number in range(8):
            write_session(
                tmp_path / name / f"{number}.pyisession",
                *samples_of(20 + 5 * (number % 3) + (name == "after"), api),
            )
    return str(tmp_path / "before"), str(tmp_path / "after")


def diff(capsys, *args: str):
    assert main(["diff", "--json", *args]) == 0
    return json.loads(capsys.readouterr().out)


def test_which_function_got_slower(sets, capsys):
    """rebuild for sure; of the ORM the difference is within its noise."""
    (table,) = diff(capsys, *sets)

    assert table["engine"] == "pyinstrument"
    assert table["a"] == {"requests": 8, "samples": 203}
    assert table["b"] == {"requests": 8, "samples": 251}
    first, second = table["functions"][:2]
    assert first["function"] == "nova.compute.api:rebuild"
    assert (first["a_ms"], first["b_ms"], first["change_ms"]) == (10, 60, 50)
    assert first["clear"]
    assert second["function"] == "sqlalchemy.orm.loading:instances"
    assert second["change_ms"] == pytest.approx(10)
    assert second["error_ms"] == pytest.approx(20.863, abs=0.001)
    assert not second["clear"]
    assert table["notes"] == []


def test_the_page_says_slower_and_unsure(sets, capsys):
    """With the counts of both sets above."""
    assert main(["diff", *sets]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("   ") == [
        "pyinstrument, tottime in ms a request",
        "A: 8 requests, 203 samples",
        "B: 8 requests, 251 samples",
    ]
    assert lines[2].split()[:5] == [
        *("10.000", "60.000", "+50.000", "0.000", "slower")
    ]
    assert "unsure" in lines[3]
    assert lines[5].startswith("1 of 3 functions changed for sure")


def test_faster_the_other_way_round(sets, capsys):
    """B against A."""
    assert main(["diff", *reversed(sets)]) == 0

    assert "faster" in capsys.readouterr().out


def test_with_what_it_called(sets, capsys):
    """cumtime: the controller has the change of all below it."""
    (table,) = diff(capsys, *sets, "--by", "cumtime")

    changes = {
        one["function"].partition(":")[2]: one["change_ms"]
        for one in table["functions"]
    }
    assert changes == {
        "rebuild": pytest.approx(60),
        "_action": pytest.approx(60),
        "instances": pytest.approx(10),
    }


def test_little_data_is_called_little(sets, capsys):
    """Of one request on a side nothing is sure, however large."""
    one = f"{sets[0]}/0.pyisession"

    (table,) = diff(capsys, one, sets[1])

    assert not any(row["clear"] for row in table["functions"])
    assert table["notes"] == [
        "little data: A has 1 request and 21 samples; with less than 5 "
        "requests or 100 samples on either side no difference is sure"
    ]


def test_calls_are_compared_as_calls(tmp_path, capsys):
    """How often a function was called is the surest difference of all."""
    more = stats((RUN, 1, 0.1, 1.0, {}), (REBUILD, 3, 0.5, 0.9, {RUN: 0.9}))
    for number in range(6):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "b").mkdir(exist_ok=True)
        write_stats(tmp_path / "a" / f"{number}.prof", rebuild_stats())
        write_stats(tmp_path / "b" / f"{number}.prof", more)

    (table,) = diff(capsys, str(tmp_path / "a"), str(tmp_path / "b"))
    rows = {
        row["function"].partition(":")[2]: row for row in table["functions"]
    }

    assert (rows["rebuild"]["a_calls"], rows["rebuild"]["b_calls"]) == (1, 3)
    assert rows["instances"]["b_calls"] == 0
    assert rows["instances"]["change_ms"] == -600
    assert rows["instances"]["clear"]


def test_a_line_that_moved_is_the_same_function(tmp_path, capsys):
    """Between two releases a function is known by its file and name."""
    file, line, name = REBUILD
    moved = (
        file.replace("/usr/lib/python3", "/v/lib/python3.12"),
        line + 40,
        name,
    )
    write_stats(tmp_path / "a.prof", stats((REBUILD, 1, 0.1, 0.1, {})))
    write_stats(tmp_path / "b.prof", stats((moved, 1, 0.3, 0.3, {})))

    (table,) = diff(capsys, str(tmp_path / "a.prof"), str(tmp_path / "b.prof"))

    (row,) = table["functions"]
    assert (row["a_ms"], row["b_ms"]) == (100, 300)


def test_before_and_after_a_moment(tmp_path, capsys):
    """Dumps of a route, with one moment or with a gap between two."""
    paths = written(tmp_path, *(numbered(number) for number in range(6)))
    for path in paths:
        write_stats(path.with_suffix(".prof"), rebuild_stats())
    moment = ["--before", "2026-11-10T08:00:04"]
    at = ["--dump-dir", str(tmp_path), "--route", "/v2.1/servers"]

    (whole,) = diff(capsys, *at, *moment)
    (gap,) = diff(capsys, *at, *moment, "--after", "2026-11-10T08:00:05")

    assert (whole["a"]["requests"], whole["b"]["requests"]) == (4, 2)
    assert (gap["a"]["requests"], gap["b"]["requests"]) == (4, 1)


def test_engines_that_only_one_side_has(sets, tmp_path, capsys):
    """Are named; where none is on both sides there is nothing to say."""
    calls = str(write_stats(tmp_path / "c.prof", rebuild_stats()))

    assert main(["diff", calls, sets[0]]) == 2

    error = capsys.readouterr().err
    assert "skipped cprofile: only A has profiles of it" in error
    assert "skipped pyinstrument: only B has profiles of it" in error
    assert "A and B have no profiles of the same engine" in error


@pytest.mark.parametrize(
    "args", [[], ["a"], ["a", "b", "c"], ["a", "b", "--before", "2h"]]
)
def test_two_sides_are_needed(args, capsys):
    """Two names or a moment, not both."""
    assert main(["diff", *args]) == 2

    assert "give A and B, or --before or --after" in capsys.readouterr().err


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_side_without_stacks_is_named(tmp_path, capsys, side):
    """That nothing took stacks is not that engines differ."""
    (path,) = written(tmp_path, numbered(1))
    write_session(path.with_suffix(".pyisession"), ([API], 0.01))
    when = "2001-01-01" if side == "A" else "2101-01-01"

    args = ["diff", "--dump-dir", str(tmp_path), "--before", when]
    assert main(args) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: {side} has no dumps with stacks; the option "
        f"profiler takes them\n"
    )
