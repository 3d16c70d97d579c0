# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler compare`: a table, and an exit code to gate on."""

from __future__ import annotations

import json

import pytest
from run_builders import entry, kept, log_text, run_of

from nova_profiler.cli import main


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Return a history of three equal runs and one with /r7 slowed."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path / "history"))
    return kept(
        tmp_path / "history",
        n1=run_of(1),
        n2=run_of(2, day=1),
        n3=run_of(3, day=2),
        slow=run_of(4, day=3, slowed=1.3),
    )


def test_a_slowed_route_fails_the_gate(history, capsys):
    """It is named last, with the limit, and the exit code is 1."""
    assert main(["compare", "n1", "slow", "--fail-above", "10"]) == 1

    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "A n1, B slow"
    assert [line for line in lines if line.startswith("slower")] == [
        next(line for line in lines if "GET /r7 " in line)
    ]
    assert lines[-2] == "1 slower, 29 no change"
    assert lines[-1].startswith("failed: GET /r7 is ")
    assert "\x1b" not in out


def test_without_a_limit_nothing_fails(history, capsys):
    """The change is told all the same."""
    assert main(["compare", "n1", "slow"]) == 0
    assert "1 slower, 29 no change" in capsys.readouterr().out


def test_equal_runs_pass(history):
    """What wobbles by less than --ignore-below is no change."""
    assert main(["compare", "n1", "n2", "--fail-above", "0"]) == 0


def test_several_runs_make_a_baseline(history, capsys):
    """By pattern or by comma; more calls, so smaller changes tell."""
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
    assert (first["route"], first["a"]["calls"]) == ("/r7", 600)
    assert first["detectable"] < one["routes"][0]["detectable"]


def test_logs_are_compared_on_the_spot(history, tmp_path, capsys):
    """Nothing of them is kept."""
    for name, slowed in (("a.log", 1.0), ("b.log", 1.4)):
        text = log_text(run_of(5, calls=50, slowed=slowed))
        (tmp_path / name).write_text(text)

    a, b = str(tmp_path / "a.log"), str(tmp_path / "b.log")
    assert main(["compare", a, b, "--fail-above", "10"]) == 1

    assert "GET /v2.1/r7 is 40.0 % slower" in capsys.readouterr().out
    assert len(history.runs()) == 4


def test_markdown_is_a_table(history, capsys):
    """For the summary of a job; markup in names stays text."""
    args = ["compare", "n*", "slow", "--format", "markdown", "--limit", "2"]
    assert main([*args, "--fail-above", "10"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "### A n\\* (3 runs), B slow"
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 4
    assert rows[2].startswith("| slower | GET /r7 | 600 | 200 |")
    assert lines[-1] == "28 more"


def failing(entries, *routes):
    """Return *entries*, those of *routes* failed; without any, all."""
    return [
        one._replace(status=500 if one.route in routes or not routes else 200)
        for one in entries
    ]


def test_few_calls_are_called_few(history, capsys):
    """A gate does not pass on them alone; without one they fail nothing."""
    history.add("few", run_of(8, calls=9, slowed=9.0))

    assert main(["compare", "n1", "few"]) == 0
    assert main(["compare", "n1", "few", "--fail-above", "10"]) == 2

    out, err = capsys.readouterr()
    assert "30 few (under 20 calls on a side)" in out
    assert "Nothing could be compared: no route has 20 calls" in out
    assert err.startswith("nova-profiler: nothing could be compared: no ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("limit", ["--fail-above", "--fail-all-above"])
@pytest.mark.parametrize("shape", ["text", "markdown", "json"])
def test_a_gate_that_sees_nothing_does_not_pass(history, capsys, limit, shape):
    """All of B failed, or no route is the same: exit code 2 and why."""
    history.add("down", failing(run_of(5)))
    elsewhere = [
        one._replace(route=f"/v3{one.route}") for one in run_of(6, calls=20)
    ]
    history.add("elsewhere", elsewhere)
    reasons = {
        "down": "all 6000 requests of B failed",
        "elsewhere": "no route has requests on both sides that did not fail",
    }

    for b, reason in reasons.items():
        args = ["compare", "n1", b, "--format", shape]
        assert main(args) == 0
        assert main([*args, limit, "10"]) == 2
        assert capsys.readouterr().err == (
            f"nova-profiler: nothing could be compared: {reason}\n"
        )


def test_a_route_that_only_fails_fails_the_gate(history, capsys):
    """Not timed, and yet no "few"; what was down before is no regression."""
    history.add("part", failing(run_of(5), "/r3"))

    assert main(["compare", "n1", "part", "--fail-above", "10"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "1 failed in B, 29 no change"
    assert lines[-1] == "failed: GET /r3: all 200 calls in B failed"

    assert main(["compare", "part", "n1", "--fail-above", "10"]) == 0
    assert "29 no change, 1 failed in A" in capsys.readouterr().out
    assert main(["compare", "part", "part", "--fail-above", "10"]) == 0
    assert "1 failed in both" in capsys.readouterr().out


@pytest.mark.parametrize(
    "manifest", ['{"schema": 2}', "{", "[]", '{"schema": 1}']
)
def test_a_pattern_refuses_runs_that_cannot_be_read(
    history, tmp_path, monkeypatch, capsys, manifest
):
    """Named, all of them; no log of a like name takes their place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n1.log").write_text(log_text(run_of(1, calls=1)))
    for name in ("n2", "n3"):
        path = history.directory / f"run={name}" / "_run.json"
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

    assert len(json.loads(capsys.readouterr().out)["routes"]) == 30


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ("n1", "nowhere", "nowhere: neither a run in "),
        ("n1", "x*", "x*: neither a run in "),
        ("", "n1", "'': expected a run or a log"),
        ("n1", "n1\x1b[31m", "neither a run in "),
    ],
)
def test_what_is_neither_run_nor_log(history, capsys, a, b, told):
    """One line, exit code 2, and nothing that steers a terminal."""
    assert main(["compare", a, b]) == 2

    err = capsys.readouterr().err
    assert told in err
    assert "\x1b" not in err
    assert err.count("\n") == 1


def test_a_log_without_requests(history, tmp_path, capsys):
    """Named; no gate passes on nothing."""
    (tmp_path / "empty.log").write_text("hello\n")

    assert main(["compare", "n1", str(tmp_path / "empty.log")]) == 2

    assert "empty.log: no request in it" in capsys.readouterr().err


def test_a_newer_run_is_refused_by_name(history, capsys):
    """Rather than not found."""
    path = history.directory / "run=n2" / "_run.json"
    path.write_text(json.dumps({"schema": 2}))

    assert main(["compare", "n1", "n2"]) == 2
    assert "run n2: schema 2 is newer" in capsys.readouterr().err


def test_a_broken_part_is_told(history, capsys):
    """In one line that names the run."""
    path = history.directory / "run=n2" / "part-00000.parquet"
    path.write_bytes(b"PAR1 what is this")

    assert main(["compare", "n1", "n2"]) == 2

    err = capsys.readouterr().err
    assert err.startswith("nova-profiler: run n2: is damaged: ")
    assert err.count("\n") == 1


def test_hostile_routes_stay_text(history, capsys):
    """Whatever a client asked for once."""
    odd = [entry(5.0, "/\x1b[31m[bold]|<b>") for _ in range(30)]
    history.add("odd", odd)

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
def test_a_limit_that_nothing_exceeds_is_refused(
    history, capsys, option, value
):
    """A gate that cannot fail is none: no number, no comparison."""
    assert main(["compare", "n1", "slow", option, value]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert option in err.splitlines()[-1]


def test_a_pipe_gets_routes_whole(tmp_path, monkeypatch, capsys):
    """What is searched for in a CI job's log is not broken in two."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path / "history"))
    route = "/v2.1/os-simple-tenant-usage/" + "long/" * 20
    times = [float(20 + number) for number in range(40)]
    runs = {name: [entry(ms, route) for ms in times] for name in "ab"}
    kept(tmp_path / "history", **runs)

    assert main(["compare", "a", "b"]) == 0
    compared = capsys.readouterr().out
    assert main(["history", "trend"]) == 0

    assert f"GET {route} " in compared
    assert f"GET {route}" in capsys.readouterr().out
    assert not any(line.endswith(" ") for line in compared.splitlines())
