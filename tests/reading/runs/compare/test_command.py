# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler compare`: a table, and an exit code to gate on."""

from __future__ import annotations

import json
import shutil

import pytest
from run_builders import entry, kept, log_text, run_of

from nova_profiler.cli import main
from nova_profiler.reading.runs.kept.store import History


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a history that no test changes.

    Three equal runs, one with /r7 slowed, and of few calls one that failed
    and one of other routes.
    """
    few = list(run_of(5, calls=20, routes=12))
    return kept(
        tmp_path_factory.mktemp("compare"),
        n1=run_of(1, calls=60, routes=12),
        n2=run_of(2, calls=60, routes=12, day=1),
        n3=run_of(3, calls=60, routes=12, day=2),
        slow=run_of(4, calls=60, routes=12, day=3, slowed=1.6),
        down=failing(few),
        elsewhere=[one._replace(route=f"/v3{one.route}") for one in few],
    )


@pytest.fixture
def history(whole, monkeypatch):
    """Return the history of all tests; the environment names it."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(whole.directory))
    return whole


@pytest.fixture
def own(whole, tmp_path, monkeypatch):
    """Return a copy that the test may change; the environment names it."""
    directory = tmp_path / "history"
    shutil.copytree(whole.directory, directory)
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(directory))
    return History(directory)


def failing(entries, *routes):
    """Return *entries*, those of *routes* failed; without any, all."""
    return [
        one._replace(status=500 if one.route in routes or not routes else 200)
        for one in entries
    ]


def test_a_slowed_route_fails_the_gate(history, capsys):
    """The last line names it and the limit, and the exit code is 1."""
    assert main(["compare", "n1", "slow", "--fail-above", "10"]) == 1

    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "A n1, B slow"
    assert [line for line in lines if line.startswith("slower")] == [
        next(line for line in lines[2:] if "GET /r7 " in line)
    ]
    assert lines[1].startswith(
        "12 routes: 1 slower, 11 without a sure change; GET /r7 is "
    )
    assert lines[1].endswith(" sure")
    assert lines[2].startswith("All routes together: ")
    assert lines[-1].startswith("failed: GET /r7 is ")
    assert "\x1b" not in out


def test_without_a_limit_nothing_fails(history, capsys):
    """The change is shown all the same."""
    assert main(["compare", "n1", "slow"]) == 0
    found = capsys.readouterr().out
    assert "12 routes: 1 slower, 11 without a sure change" in found


def test_equal_runs_pass(history):
    """A wobble of less than --ignore-below is no change."""
    assert main(["compare", "n1", "n2", "--fail-above", "0"]) == 0


def test_several_runs_make_a_baseline(history, capsys):
    """By pattern or by comma; more calls find smaller changes."""
    main(["compare", "n1", "slow", "--json"])
    one = json.loads(capsys.readouterr().out)
    main(["compare", "n?", "slow", "--json"])
    pattern = json.loads(capsys.readouterr().out)
    main(["compare", "n3,n1,n2", "slow", "--json"])
    listed = json.loads(capsys.readouterr().out)

    assert one["runs_a"] == 1
    assert pattern["runs_a"] == listed["runs_a"] == 3
    assert pattern["routes"] == listed["routes"]
    first = pattern["routes"][0]
    assert (first["route"], first["a"]["calls"]) == ("/r7", 180)
    assert first["detectable"] < one["routes"][0]["detectable"]


def test_logs_are_compared_on_the_spot(history, tmp_path, capsys):
    """The history gets no run of them."""
    for name, slowed in (("a.log", 1.0), ("b.log", 1.4)):
        text = log_text(run_of(5, calls=50, slowed=slowed))
        (tmp_path / name).write_text(text)

    a, b = str(tmp_path / "a.log"), str(tmp_path / "b.log")
    assert main(["compare", a, b, "--fail-above", "10"]) == 1

    assert "GET /v2.1/r7 is 40.0 % slower" in capsys.readouterr().out
    assert len(history.runs()) == 6


def test_markdown_is_a_table(history, capsys):
    """For the summary of a job; markup in names stays text."""
    args = ["compare", "n*", "slow", "--format", "markdown", "--limit", "2"]
    assert main([*args, "--fail-above", "10"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "### A n\\* (3 runs), B slow"
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 4
    assert rows[2].startswith("| slower | GET /r7 | 180 | 60 |")
    assert lines[-1] == "10 more"


def test_logs_in_a_format_that_is_stated(history, tmp_path, capsys):
    """Kept as a run or compared at once: both read the same lines."""
    form = '--form=own=%t "%r" %>s %{ms}T'
    log = tmp_path / "front.log"
    log.write_text(
        "".join(
            f'[21/Nov/2026:10:00:{number:02d} +0000] "GET /v2.1/servers '
            f'HTTP/1.1" 200 {40 + number % 3}\n'
            for number in range(60)
        )
    )
    kept_in = ["--history", str(tmp_path / "own")]

    assert main(["history", "add", "a", str(log), form, *kept_in]) == 0
    assert main(["compare", "a", str(log), form, "--json", *kept_in]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("kept a: 60 requests")
    found = json.loads(shown.partition("\n")[2])
    (route,) = found["routes"]
    assert route["route"] == "/v2.1/servers"
    assert (route["a"]["calls"], route["b"]["calls"]) == (60, 60)


def test_few_calls_are_called_few(own, capsys):
    """A gate does not pass on them alone; without one they fail nothing."""
    own.add("few", run_of(8, calls=9, routes=12))

    assert main(["compare", "n1", "few"]) == 0
    assert main(["compare", "n1", "few", "--fail-above", "10"]) == 2

    out, err = capsys.readouterr()
    assert "12 routes: 12 with under 20 calls on a side" in out
    assert "Nothing could be compared: no route has 20 calls" in out
    assert err.startswith("nova-profiler: nothing could be compared: no ")
    assert err.count("\n") == 1


ALL_FAILED = "all 240 requests of B failed"
NO_COMMON_ROUTE = "no route has requests on both sides that did not fail"


@pytest.mark.parametrize(
    ("b", "reason", "limit", "shape"),
    [
        ("down", ALL_FAILED, "--fail-above", "text"),
        ("down", ALL_FAILED, "--fail-all-above", "json"),
        ("elsewhere", NO_COMMON_ROUTE, "--fail-above", "markdown"),
        ("elsewhere", NO_COMMON_ROUTE, "--fail-all-above", "text"),
    ],
)
def test_a_gate_that_sees_nothing_does_not_pass(
    history, capsys, b, reason, limit, shape
):
    """All of B failed, or no route is the same: exit code 2 and why."""
    args = ["compare", "n1", b, "--format", shape]

    assert main(args) == 0
    assert main([*args, limit, "10"]) == 2
    assert capsys.readouterr().err == (
        f"nova-profiler: nothing could be compared: {reason}\n"
    )


def test_a_route_that_only_fails_fails_the_gate(own, capsys):
    """Not timed, and yet no "few"; a route that failed before passes."""
    own.add("part", failing(run_of(5, calls=60, routes=12), "/r3"))

    assert main(["compare", "n1", "part", "--fail-above", "10"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "12 routes: 1 failed in B, 11 without a sure change; GET /r3: all 60 "
        "calls in B failed"
    )
    assert lines[-1] == "failed: GET /r3: all 60 calls in B failed"

    assert main(["compare", "part", "n1", "--fail-above", "10"]) == 0
    assert "11 without a sure change, 1 failed in A" in capsys.readouterr().out
    assert main(["compare", "part", "part", "--fail-above", "10"]) == 0
    assert "1 failed in both" in capsys.readouterr().out


@pytest.mark.parametrize("manifest", ['{"schema": 99}', "{"])
def test_a_pattern_refuses_runs_that_cannot_be_read(
    own, tmp_path, monkeypatch, capsys, manifest
):
    """It names all of them; no log of a like name takes their place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n1.log").write_text(log_text(run_of(1, calls=1)))
    for name in ("n2", "n3"):
        path = own.directory / f"run={name}" / "_run.json"
        path.write_text(manifest)

    for pattern in ("n?", "n[23]*", "slow,n*"):
        assert main(["compare", pattern, "slow"]) == 2
        err = capsys.readouterr().err
        assert "run n2: " in err
        assert "run n3: " in err
        assert err.count("\n") == 1
    assert main(["compare", "n1*", "slow"]) == 0


def test_a_limit_cuts_no_json(history, capsys):
    """Other programs get all."""
    assert main(["compare", "n1", "n2", "--json", "--limit", "2"]) == 0

    assert len(json.loads(capsys.readouterr().out)["routes"]) == 12


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("n1", "nowhere", "nowhere: neither a run in "),
        ("n1", "x*", "x*: neither a run in "),
        ("", "n1", "'': expected a run or a log"),
        ("n1", "n1\x1b[31m", "neither a run in "),
    ],
)
def test_a_name_of_neither_run_nor_log_is_refused(
    history, capsys, a, b, message
):
    """In one line without what steers a terminal, and exit code 2."""
    assert main(["compare", a, b]) == 2

    err = capsys.readouterr().err
    assert message in err
    assert "\x1b" not in err
    assert err.count("\n") == 1


def test_a_log_without_requests(history, tmp_path, capsys):
    """It is named; no gate passes on nothing."""
    (tmp_path / "empty.log").write_text("hello\n")

    assert main(["compare", "n1", str(tmp_path / "empty.log")]) == 2

    assert "empty.log: no request in it" in capsys.readouterr().err


def test_a_newer_run_is_refused_by_name(own, capsys):
    """It is there, so "not found" would be wrong."""
    path = own.directory / "run=n2" / "_run.json"
    path.write_text(json.dumps({"schema": 99}))

    assert main(["compare", "n1", "n2"]) == 2
    assert "run n2: schema 99 is newer" in capsys.readouterr().err


def test_a_damaged_part_is_one_line(own, capsys):
    """It names the run."""
    path = own.directory / "run=n2" / "part-00000.parquet"
    path.write_bytes(b"PAR1 what is this")

    assert main(["compare", "n1", "n2"]) == 2

    err = capsys.readouterr().err
    assert err.startswith("nova-profiler: run n2: is damaged: ")
    assert err.count("\n") == 1


def test_hostile_routes_stay_text(tmp_path, monkeypatch, capsys):
    """A client may have asked for anything."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path))
    kept(tmp_path, odd=[entry(5.0, "/\x1b[31m[bold]|<b>")] * 30)

    assert main(["compare", "odd", "odd"]) == 0
    text = capsys.readouterr().out
    assert main(["compare", "odd", "odd", "--format", "markdown"]) == 0
    markdown = capsys.readouterr().out

    assert "\x1b" not in text + markdown
    assert "[bold]|<b>" in text
    assert "\\[bold\\]\\|\\<b\\>" in markdown


@pytest.mark.parametrize(
    "option", ["--fail-above", "--fail-all-above", "--confidence"]
)
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_limit_that_nothing_exceeds_is_refused(capsys, option, value):
    """A gate that cannot fail is none."""
    assert main(["compare", "n1", "slow", option, value]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert option in err.splitlines()[-1]


def test_a_pipe_gets_routes_whole(tmp_path, monkeypatch, capsys):
    """A search in the log of a CI job finds the whole name in one line."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path / "history"))
    route = "/v2.1/os-simple-tenant-usage/" + "long/" * 20
    run = [entry(20.0 + number, route) for number in range(40)]
    kept(tmp_path / "history", a=run, b=run)

    assert main(["compare", "a", "b"]) == 0
    compared = capsys.readouterr().out
    assert main(["history", "trend"]) == 0

    assert f"GET {route} " in compared
    assert f"GET {route}" in capsys.readouterr().out
    assert not any(line.endswith(" ") for line in compared.splitlines())
