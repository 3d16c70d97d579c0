# SPDX-License-Identifier: Apache-2.0
"""What is exported opens in the programs that it is for."""

from __future__ import annotations

import io
import json
import marshal
import pstats
import subprocess
import sys
from pathlib import Path

import pytest
from profile_builders import (
    API,
    LOADING,
    ORM,
    WAITING,
    pyspy_session,
    rebuild_samples,
    rebuild_stats,
    session,
    write_session,
    write_stats,
)
from snakeviz.stats import json_stats, table_rows

from nova_profiler.profiles.exports import (
    SUFFIXES,
    ExportError,
    exported,
)
from nova_profiler.profiles.loading import load

BIN = Path(sys.executable).parent


@pytest.fixture
def samples(tmp_path):
    return load(write_session(tmp_path / "a.pyisession", *rebuild_samples()))


@pytest.fixture
def calls(tmp_path):
    return load(write_stats(tmp_path / "a.prof", rebuild_stats()))


def check_speedscope(content: dict) -> None:
    """Check what speedscope's format asks of a file of samples."""
    assert content["$schema"] == (
        "https://www.speedscope.app/file-format-schema.json"
    )
    assert isinstance(content["name"], str)
    assert isinstance(content["exporter"], str)
    frames = content["shared"]["frames"]
    for frame in frames:
        assert set(frame) <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
        assert isinstance(frame.get("file", ""), str)
        assert isinstance(frame.get("line", 1), int)
    assert 0 <= content["activeProfileIndex"] < len(content["profiles"])
    for profile in content["profiles"]:
        assert set(profile) == {
            *("type", "name", "unit", "startValue", "endValue"),
            *("samples", "weights"),
        }
        assert profile["type"] == "sampled"
        assert profile["unit"] in ("seconds", "milliseconds", "none")
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(weight >= 0 for weight in profile["weights"])
        assert all(
            0 <= number < len(frames)
            for stack in profile["samples"]
            for number in stack
        )
        assert profile["endValue"] - profile["startValue"] == pytest.approx(
            sum(profile["weights"])
        )


def test_counted_calls_stay_what_they_were(calls):
    """A .prof goes in and the same comes out."""
    content = exported(calls, "pstats", "")

    assert marshal.loads(content) == rebuild_stats()  # our own


def test_samples_as_pstats_have_times_and_no_calls(samples, tmp_path):
    """Calls that were not counted are none; pstats prints zeros."""
    path = tmp_path / "b.prof"
    path.write_bytes(exported(samples, "pstats", ""))

    shown = pstats.Stats(str(path), stream=io.StringIO())
    shown.sort_stats("tottime").print_stats().print_callers()

    figures = {key[2]: value[:4] for key, value in shown.stats.items()}
    assert figures["instances"] == (
        0,
        0,
        pytest.approx(0.6),
        pytest.approx(0.6),
    )
    assert figures["rebuild"] == (0, 0, 0.0, pytest.approx(0.8))
    assert figures["lock.acquire"][3] == pytest.approx(0.2)


@pytest.mark.parametrize("kind", ["samples", "calls"])
def test_snakeviz_shows_the_pstats_file(kind, tmp_path, request):
    """Each function is in its table and in its picture."""
    path = tmp_path / "b.prof"
    path.write_bytes(exported(request.getfixturevalue(kind), "pstats", ""))

    shown = pstats.Stats(str(path))

    assert len(table_rows(shown)) == len(shown.stats)
    assert any("rebuild" in name for name in json_stats(shown))


@pytest.mark.parametrize("kind", ["samples", "calls"])
def test_gprof2dot_draws_the_pstats_file(kind, tmp_path, request):
    """The graph has the function and its share."""
    path = tmp_path / "b.prof"
    path.write_bytes(exported(request.getfixturevalue(kind), "pstats", ""))

    drawn = subprocess.run(
        [BIN / "gprof2dot", "-f", "pstats", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "loading:69:instances\\n60.00%" in drawn.stdout


def test_pyinstrument_loads_the_session(samples, tmp_path):
    """The other way round, from our tree to its own."""
    path = tmp_path / "b.pyisession"
    path.write_bytes(exported(samples, "pyinstrument", "POST /v2.1"))

    shown = subprocess.run(
        [BIN / "pyinstrument", "--load", path, "--show-all"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "POST /v2.1" in shown.stdout
    assert "0.600 instances" in shown.stdout
    assert "0.800 rebuild" in shown.stdout


def test_an_exported_session_is_read_again(tmp_path):
    """Work and waiting are the same after the way there and back."""
    path = tmp_path / "a.pyisession"
    path.write_text(
        json.dumps(
            pyspy_session(
                ([API, ORM], 0.3), ([API, ORM, WAITING], 0.1), number=20
            )
        )
    )
    first = load(path)
    path.write_bytes(exported(first, "pyinstrument", ""))
    again = load(path)

    assert (again.number, again.busy_s) == (first.number, first.busy_s)
    assert again.waiting_s == first.waiting_s
    assert again.hot_path() == [
        step._replace(line=None) for step in first.hot_path()
    ]


def test_speedscope_takes_the_samples(samples):
    """The file is as its format asks, and each stack has its time."""
    content = json.loads(exported(samples, "speedscope", "POST /v2.1"))

    check_speedscope(content)
    (profile,) = content["profiles"]
    assert profile["name"] == "POST /v2.1"
    assert sorted(profile["weights"]) == pytest.approx([0.2, 0.2, 0.6])


def test_collapsed_stacks(samples):
    """A line each, its time in microseconds, the outermost first."""
    lines = exported(samples, "collapsed", "").decode().splitlines()

    assert (
        "webob.dec:__call__;nova.api.openstack.compute.servers:_action;"
        "nova.compute.api:rebuild;sqlalchemy.orm.loading:instances 600000"
    ) in lines
    assert len(lines) == 3


def test_hostile_names_stay_in_their_field(tmp_path):
    """Separators, new lines and lone surrogates break no format."""
    hostile = "a;b\nc d\ud800\x00/x;y\n.py\x001"
    tree = load(
        write_session(tmp_path / "a.pyisession", ([hostile, API], 0.1))
    )

    (line,) = exported(tree, "collapsed", "").decode().splitlines()
    assert line.count(";") == 1
    assert line.count(" ") == 1
    check_speedscope(json.loads(exported(tree, "speedscope", "")))
    assert marshal.loads(exported(tree, "pstats", ""))


def test_collapsed_stacks_have_nothing_that_steers_a_terminal(tmp_path):
    """Neither controls of one byte, nor the direction of writing."""
    hostile = "a\x9b31m\u202eb\u2066\x7f\x1b[2J\x00/x.py\x001"
    tree = load(
        write_session(tmp_path / "a.pyisession", ([hostile, API], 0.1))
    )

    (line,) = exported(tree, "collapsed", "").decode().splitlines()

    assert line.isprintable()


@pytest.mark.parametrize("how", ["speedscope", "collapsed", "pyinstrument"])
def test_calls_have_no_stacks(calls, how):
    """What a format needs and the profile has not is not made up."""
    with pytest.raises(ExportError, match="counted calls have no stacks"):
        exported(calls, how, "")


def test_an_empty_profile_is_exported(tmp_path):
    """A request too short for any sample has an empty file of each."""
    (tmp_path / "a.pyisession").write_text(json.dumps(session()))
    tree = load(tmp_path / "a.pyisession")

    for how in ("pstats", "speedscope", "collapsed", "pyinstrument"):
        assert isinstance(exported(tree, how, "nothing"), bytes)


CONDITION = "Condition.wait\x00/usr/lib/python3.11/threading.py\x00327"


@pytest.fixture
def waited(tmp_path):
    """0.3 s of work; 0.6 s in a function that waits by its name, 0.1 seen."""
    content = pyspy_session(
        ([API, ORM], 0.3),
        ([API, CONDITION], 0.6),
        ([API, ORM, WAITING], 0.1),
        number=100,
    )
    path = tmp_path / "w.pyisession"
    path.write_text(json.dumps(content))
    return load(path)


def test_what_waits_by_name_is_marked_too(waited):
    """A reader of the export knows none of our names."""
    lines = exported(waited, "collapsed", "").decode().splitlines()

    assert sorted(line.rpartition(";")[2] for line in lines) == [
        "[waiting] 100000",
        "[waiting] 600000",
        "sqlalchemy.orm.loading:instances 300000",
    ]


@pytest.mark.parametrize("how", ["pstats", "pyinstrument"])
def test_waiting_is_no_work_after_the_way_back(waited, how, tmp_path):
    """What waited, and for whom, is what it was."""
    path = tmp_path / f"b{SUFFIXES[how]}"
    path.write_bytes(exported(waited, how, ""))
    again = load(path)

    assert again.busy_s == pytest.approx(waited.busy_s)
    assert again.waiting_s == pytest.approx(waited.waiting_s)
    waits = [
        [
            (wait.function.name, wait.caller and wait.caller.name)
            for wait in one.waits()
        ]
        for one in (waited, again)
    ]
    assert (
        waits[0]
        == waits[1]
        == [
            ("Condition.wait", "rebuild"),
            ("instances", "rebuild"),
        ]
    )
    assert [step.share for step in again.hot_path()] == pytest.approx(
        [step.share for step in waited.hot_path()]
    )


def test_the_function_is_found_by_its_key(calls):
    """Keys of a graph are those of pstats."""
    assert calls.functions[LOADING].calls == 40
