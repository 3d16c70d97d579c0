# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler diff`: what changed between two sets, and how surely."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from builders import numbered, one_of_each_kind, written
from profile_builders import (
    API,
    CONTROLLER,
    ORM,
    REBUILD,
    RUN,
    pyspy_session,
    rebuild_stats,
    stats,
    write_session,
    write_stats,
)

from nova_profiler.capture.profilers.stacks.result import notes_on, seen_of
from nova_profiler.cli import main
from nova_profiler.profiles import NOT_LOOKED


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
    return json.loads(capsys.readouterr().out)["profiles"]


def test_which_function_got_slower(sets, capsys):
    """rebuild for sure; of the ORM the difference is within its noise."""
    (table,) = diff(capsys, *sets)

    assert table["engine"] == "pyinstrument"
    assert table["a"] == {
        "requests": 8,
        "samples": 203,
        "requests_without_samples": 0,
        "sample_s": 0.01,
    }
    assert (table["b"]["requests"], table["b"]["samples"]) == (8, 251)
    first, second = table["functions"][:2]
    assert first["function"] == "nova.compute.api:rebuild"
    assert (first["a_ms"], first["b_ms"], first["change_ms"]) == (10, 60, 50)
    assert first["clear"]
    assert second["function"] == "sqlalchemy.orm.loading:instances"
    assert second["change_ms"] == pytest.approx(10)
    assert second["error_ms"] == pytest.approx(32.562, abs=0.001)
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
    assert lines[1].startswith("1 of 3 functions changed for sure")
    assert lines[3].split()[:5] == [
        *("10.000", "60.000", "+50.000", "9.520", "slower")
    ]
    assert "unsure" in lines[4]


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

    assert capsys.readouterr().err == (
        "nova-profiler: nothing to compare: A has profiles of cprofile, B of "
        "pyinstrument\n"
    )
    (tmp_path / "both").mkdir()
    write_stats(tmp_path / "both" / "c.prof", rebuild_stats())
    write_session(tmp_path / "both" / "s.pyisession", *samples_of(20, 1))

    assert main(["diff", calls, str(tmp_path / "both")]) == 0
    assert capsys.readouterr().err == (
        "skipped: pyinstrument: only B has profiles of it\n"
    )


def test_a_side_that_cannot_be_read_is_one_line(sets, tmp_path, capsys):
    """The error has its reason, not that engines differ."""
    (tmp_path / "code.prof").write_bytes(b"c" * 40)

    assert main(["diff", f"{tmp_path}/code.prof", sets[0]]) == 2

    assert capsys.readouterr().err == (
        "nova-profiler: code.prof: not a profile as pstats writes it\n"
    )


LOOKED = {
    "engine": "pyspy",
    "file": None,
    "samples": 0,
    "notes": [f"py-spy has no stack of this request: {NOT_LOOKED}"],
}


def uniform_load(folder, draw, requests, interval_s):
    """Write requests of 0.05 s of work in rebuild, as pyspy sees them.

    How many samples one has is drawn; many have none, and no file.
    """
    paths = written(
        folder,
        *(numbered(number, profile=LOOKED) for number in range(requests)),
    )
    for path in paths:
        left, samples = draw.expovariate(1.0) * interval_s, 0
        while left < 0.05:
            samples += 1
            left += draw.expovariate(1.0) * interval_s
        if samples:
            taken = ([CONTROLLER, API], samples * interval_s)
            path.with_suffix(".pyisession").write_text(
                json.dumps(pyspy_session(taken, number=samples))
            )
    return str(folder)


@pytest.mark.parametrize("intervals_s", [(0.02, 0.02), (0.02, 0.2)])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_changed_is_not_for_sure(tmp_path, capsys, intervals_s, seed):
    """Whatever a sample stands for and however many requests have none."""
    draw = random.Random(seed)  # no secret
    sides = [
        uniform_load(tmp_path / name, draw, 200, interval_s)
        for name, interval_s in zip("ab", intervals_s, strict=True)
    ]

    (table,) = diff(capsys, *sides, "--by", "cumtime")

    assert table["a"]["requests"] == table["b"]["requests"] == 200
    assert table["b"]["requests_without_samples"] > 0
    assert len(table["functions"]) == 2
    for row in table["functions"]:
        # The mean of all requests, not of those that were seen.
        assert row["a_ms"] == pytest.approx(50, abs=15)
        assert row["b_ms"] == pytest.approx(50, abs=40)
        assert not row["clear"]


def test_a_coarse_side_is_called_so(tmp_path, capsys):
    """No difference is sure, however large, and the page says why."""
    for name, seconds in (("a", 0.01), ("b", 0.1)):
        for number in range(200):
            path = tmp_path / name / f"{number}.pyisession"
            path.parent.mkdir(exist_ok=True)
            path.write_text(
                json.dumps(pyspy_session(([API], 9 * seconds), number=9))
            )

    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 0

    page = " ".join(capsys.readouterr().out.split())
    assert "0 of 1 function changed for sure" in page
    assert (
        "a sample stands for 10.0 ms in A and 100.0 ms in B: no difference "
        "is sure; profiler_interval_ms sets it"
    ) in page


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"samples": 3, "notes": []}, True),
        ({"notes": ["py-spy has no stack of this request: gone"]}, False),
        ({"notes": None}, False),
        ({"samples": None}, False),
        ({"samples": "0"}, False),
        ({"file": "x.pyisession"}, False),
        ({"engine": "pyinstrument"}, False),
    ],
)
def test_only_what_is_known_to_be_nothing_counts_as_nothing(
    tmp_path, capsys, change, counts
):
    """Not what is still to come, or was not looked at, or was deleted."""
    path, _ = written(
        tmp_path / "a", numbered(1), numbered(2, profile=LOOKED | change)
    )
    taken = json.dumps(pyspy_session(([API], 0.1), number=5))
    path.with_suffix(".pyisession").write_text(taken)
    (tmp_path / "b.pyisession").write_text(taken)

    (table,) = diff(
        capsys, str(path.parent), str(tmp_path / "b.pyisession")
    )  # fmt: skip
    (by_day,) = diff(
        capsys, str(tmp_path / "a"), str(tmp_path / "b.pyisession")
    )  # fmt: skip

    assert table["a"]["requests"] == by_day["a"]["requests"] == 1 + counts
    assert table["a"]["requests_without_samples"] == counts


def test_the_engine_says_it_in_these_words():
    """A dump of stacks tells by them that a request was just short."""
    nothing = seen_of({})

    (note,) = notes_on(None, nothing, is_green=False, is_explained=False)
    others = notes_on(None, nothing, is_green=False, is_explained=True)

    assert NOT_LOOKED in note
    assert others == []


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
    span = "before" if side == "A" else "since"

    args = ["diff", "--dump-dir", str(tmp_path), "--before", when]
    assert main(args) == 0

    assert capsys.readouterr().err.startswith(
        f"{side}, {span} {when} 00:00:00 UTC: no dumps in this time: "
        f"{tmp_path} has 1 dump, from 2026-"
    )


def test_a_side_whose_dumps_have_no_stacks_says_so(tmp_path, capsys):
    """Only there the option profiler is the remedy."""
    written(tmp_path, numbered(1), numbered(2))

    args = ["diff", "--dump-dir", str(tmp_path), "--before", "2101-01-01"]
    assert main(args) == 0

    shown = capsys.readouterr().err
    assert shown.startswith("A, before 2101-01-01 00:00:00 UTC: 2 dumps fit, ")
    assert "the option profiler = stacks takes them" in shown


def test_a_route_without_dumps_is_named(tmp_path, capsys):
    """It may be a typing error, and is no matter of stacks."""
    written(tmp_path, numbered(1))

    args = ["diff", "--dump-dir", str(tmp_path), "--before", "2101-01-01"]
    assert main([*args, "--route", "/no/such"]) == 0

    shown = capsys.readouterr().err
    assert "no dumps of /no/such in" in shown
    assert "profiler =" not in shown


def test_messages_are_not_mixed_with_requests(tmp_path, capsys):
    """A and B have dumps of one kind, and say of which."""
    for name in ("a", "b"):
        for path in written(tmp_path / name, *one_of_each_kind()):
            write_stats(path.with_suffix(".prof"), rebuild_stats())
    both = [str(tmp_path / "a"), str(tmp_path / "b")]

    for kind, requests in (("request", 1), ("message", 1), ("all", 4)):
        (table,) = diff(capsys, *both, "--kind", kind)
        assert table["a"]["requests"] == table["b"]["requests"] == requests
    assert main(["diff", *both, "--kind", "task"]) == 0
    assert "in ms a task   A: 1 task, " in capsys.readouterr().out


def test_a_side_with_another_kind_alone_says_so(tmp_path, capsys):
    """It is no side without stacks."""
    (path,) = written(tmp_path, one_of_each_kind()[1])
    write_stats(path.with_suffix(".prof"), rebuild_stats())

    args = ["diff", "--dump-dir", str(tmp_path), "--before", "1h"]
    assert main(args) == 0

    assert capsys.readouterr().err.endswith(
        "no requests, but 1 message; --kind all is about these, too\n"
    )
