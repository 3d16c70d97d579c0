# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler history`: runs kept, listed, drawn and removed."""

from __future__ import annotations

import io
import json
import random
import shutil

import pytest
from run_builders import entry, kept, log_text, run_of

from nova_profiler.cli import main
from nova_profiler.reading.runs.kept.schema import SCHEMA
from nova_profiler.reading.runs.kept.store import History


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Return where the runs are; the environment names it."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(tmp_path / "history"))
    return tmp_path / "history"


@pytest.fixture
def log(tmp_path):
    """Return a log of three requests."""
    path = tmp_path / "n-api.log"
    path.write_text(log_text([entry(5.0), entry(6.0), entry(7.0)]))
    return path


def test_logs_become_a_run(directory, log, capsys):
    """Its requests are counted; it can be listed and removed."""
    assert main(["history", "add", "night", str(log)]) == 0
    assert capsys.readouterr().out.startswith("kept night: 3 requests, ")

    assert main(["history", "list"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    words = line.split()
    assert words[0] == "night"
    assert words[1:3] == ["2026-11-21", "10:00:00"]
    assert words[5] == "3"

    assert main(["history", "remove", "night"]) == 0
    assert capsys.readouterr().out == "removed night\n"
    assert main(["history", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "runs": []}


def test_a_run_of_one_request(directory, tmp_path, capsys):
    """It has its grammar."""
    path = tmp_path / "one.log"
    path.write_text(log_text([entry(5.0)]))

    assert main(["history", "add", "night", str(path)]) == 0

    assert capsys.readouterr().out.startswith("kept night: 1 request, ")


def test_the_directory_may_be_an_option(tmp_path, log, capsys):
    """It wins over the environment."""
    args = ["--history", str(tmp_path / "mine"), "--json"]

    assert main(["history", "add", "night", str(log), *args]) == 0
    added = json.loads(capsys.readouterr().out)
    assert main(["history", "list", *args]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["runs"]

    assert added["requests"] == listed["requests"] == 3
    assert added["sources"] == [str(log)]
    assert added["uncounted"] == 0


def test_the_default_is_the_users_data(tmp_path, log, monkeypatch):
    """Where other programs keep theirs, too."""
    monkeypatch.delenv("NOVA_PROFILER_HISTORY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert main(["history", "add", "night", str(log)]) == 0

    assert (tmp_path / "data/nova-profiler/history/run=night").is_dir()


def test_a_second_run_of_a_name_needs_replace(directory, log, capsys):
    """One line, exit code 2."""
    main(["history", "add", "night", str(log)])
    capsys.readouterr()

    assert main(["history", "add", "night", str(log)]) == 2
    err = capsys.readouterr().err
    assert err == (
        "nova-profiler: run night: is kept already; give --replace or "
        "another name\n"
    )
    assert main(["history", "add", "night", str(log), "--replace"]) == 0


def test_logs_without_requests_are_no_run(directory, tmp_path, capsys):
    """They are named; nothing is kept."""
    (tmp_path / "empty.log").write_text("hello\n")

    args = ["history", "add", "night", str(tmp_path / "empty.log")]
    assert main(args) == 2

    assert "no request in these logs" in capsys.readouterr().err
    assert list(directory.iterdir()) == []


def test_no_history_yet(directory, capsys):
    """The message has the command to begin with."""
    assert main(["history", "list"]) == 2
    assert "history add" in capsys.readouterr().err


def test_a_run_that_cannot_be_read_is_named(directory, capsys):
    """The others are listed."""
    kept(directory, old=[entry()], night=[entry()])
    manifest = directory / "run=night" / "_run.json"
    manifest.write_text(json.dumps({"schema": 99}))

    assert main(["history", "list"]) == 0

    out, err = capsys.readouterr()
    assert "old" in out
    assert f"schema 99 is newer than this version reads ({SCHEMA})" in err


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a history in which /r7 is slower from the 13th run on."""
    runs = {
        f"n{number:02d}": run_of(
            number, calls=40, day=number, slowed=2.0 if number >= 12 else 1
        )
        for number in range(24)
    }
    return kept(tmp_path_factory.mktemp("trend"), **runs)


@pytest.fixture
def stepped(whole, monkeypatch):
    """Return the same; the environment names it. No test changes it."""
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(whole.directory))
    return whole


@pytest.fixture
def own(whole, directory):
    """Return a copy of three runs that the test may change."""
    for name in ("run=n04", "run=n05", "run=n06"):
        shutil.copytree(whole.directory / name, directory / name)
    return History(directory)


def test_trend_marks_where_a_route_changed(stepped, capsys):
    """It comes first, with the run of the change and the number of runs."""
    assert main(["history", "trend", "--limit", "3"]) == 0

    out = capsys.readouterr().out
    assert "GET /r7" in out.splitlines()[1]
    assert "% slower from n12 on" in out
    assert "12 and 12 runs" in out
    assert "27 more; see --limit" in out
    assert "24 runs, 30 routes, 1 changed level" in out
    assert "\x1b" not in out


def test_trend_of_one_route_is_run_by_run(stepped, capsys):
    """The change stands beside its run."""
    assert main(["history", "trend", "/r7", "--last", "20"]) == 0

    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("n")]
    assert [line[:3] for line in lines] == [f"n{n:02d}" for n in range(4, 24)]
    assert [line[:3] for line in lines if "% slower" in line] == ["n12"]


def test_trend_as_json(stepped, capsys):
    """It has the runs and changes of each route."""
    assert main(["history", "trend", "r7", "--json"]) == 0

    (route,) = json.loads(capsys.readouterr().out)["routes"]
    assert route["route"] == "/r7"
    assert len(route["runs"]) == 24
    assert route["runs"][0]["calls"] == 40
    assert {change["at"] for change in route["changes"]} == {"n12"}


def test_a_change_of_most_routes_is_one_line(directory, capsys):
    """Another machine is not thirty findings."""
    runs = {
        f"n{number:02d}": [
            one._replace(ms=one.ms * (1.6 if number >= 12 else 1))
            for one in run_of(number, calls=20, day=number)
        ]
        for number in range(24)
    }
    kept(directory, **runs)

    assert main(["history", "trend"]) == 0

    assert "routes changed at n12: another machine" in capsys.readouterr().out


@pytest.mark.parametrize("route", ["GET /r7", "get /r7"])
def test_trend_takes_a_route_as_it_prints_it(stepped, capsys, route):
    """The method then counts, too."""
    assert main(["history", "trend", route, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["routes"]
    assert found["route"] == "/r7"

    assert main(["history", "trend", "POST /r7"]) == 0
    assert "no route POST /r7" in capsys.readouterr().err


def test_a_limit_cuts_no_json(stepped, capsys):
    """Other programs get all."""
    assert main(["history", "trend", "--json", "--limit", "3"]) == 0

    assert len(json.loads(capsys.readouterr().out)["routes"]) == 30


def test_trend_of_failed_requests_only(directory, capsys):
    """The message is about times, as the routes are there."""
    kept(directory, night=[entry(status=500)] * 30)

    assert main(["history", "trend"]) == 0
    assert capsys.readouterr().err == (
        "all requests of these runs failed; there are no times\n"
    )


@pytest.mark.parametrize("damage", ["flipped", "cut", "other"])
def test_trend_names_a_damaged_run_and_shows_the_others(own, capsys, damage):
    """A disk or a copy can spoil a file in many ways."""
    path = own.directory / "run=n05" / "part-00000.parquet"
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        chance = random.Random(1)
        for place in chance.sample(range(4, len(data) - 8), 300):
            data[place] ^= 0xFF
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[:] = b"PAR1 what is this"
    path.write_bytes(data)

    assert main(["history", "trend"]) == 0

    out, err = capsys.readouterr()
    assert err.startswith("skipped: run n05: is damaged: ")
    assert err.count("\n") == 1
    assert "2 runs, 30 routes, too few runs to see a level change" in out


def test_trend_of_damaged_runs_only(directory, capsys):
    """It names each."""
    kept(directory, a=[entry()], b=[entry()])
    for name in "ab":
        part = directory / f"run={name}" / "part-00000.parquet"
        part.write_bytes(b"PAR1 what is this")

    assert main(["history", "trend"]) == 2
    err = capsys.readouterr().err
    assert "run a: is damaged: " in err
    assert "run b: is damaged: " in err
    assert err.count("\n") == 1


def test_trend_of_an_unknown_route(stepped, capsys):
    """The message names it."""
    assert main(["history", "trend", "--route", "/nowhere"]) == 0
    assert "no route /nowhere" in capsys.readouterr().err


def test_trend_without_runs(directory, capsys):
    """An empty directory is a history, too."""
    directory.mkdir()

    assert main(["history", "trend"]) == 0
    assert (
        f"no runs in {directory} yet; `nova-profiler history add"
        in capsys.readouterr().err
    )


def test_an_unknown_engine_is_one_line(stepped, capsys):
    """It has the URL."""
    assert main(["history", "trend", "--engine", "nosuch://x"]) == 2

    err = capsys.readouterr().err
    assert err.startswith("nova-profiler: engine nosuch://x: ")
    assert err.count("\n") == 1


def test_standard_input_is_a_log(directory, monkeypatch, capsys):
    """As in every command that reads logs."""
    text = log_text([entry(5.0)]).encode()
    stdin = io.TextIOWrapper(io.BytesIO(text))
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["history", "add", "night", "-"]) == 0
    assert "1 request, " in capsys.readouterr().out


def test_history_alone_is_its_help(capsys):
    """As the program alone is; its commands are in it."""
    assert main(["history"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert "Usage: nova-profiler history" in out
    assert "\n  trend " in out
