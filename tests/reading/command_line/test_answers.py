# SPDX-License-Identifier: Apache-2.0
"""All commands agree: on JSON, on limits, on finding nothing."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest
from builders import numbered, record, slow_rebuild, written
from profile_builders import rebuild_stats, write_stats

from nova_profiler.cli import main
from nova_profiler.reading.command_line.answers import print_json

MANY = 45
# What stands for "nothing is there" in each command's JSON.
EMPTY = {
    "list": {"dumps": [], "more": 0},
    "calls": {"group": "db_api", "routes": [], "more": 0},
    "top": {"sort": "tottime", "profiles": []},
    "export": {"file": None, "profiles": 0},
    "diff --before 1h": {"sort": "tottime", "profiles": []},
}
NO_RUNS = {
    "history list": {"runs": []},
    "history trend": {"runs": [], "routes": []},
}


@pytest.fixture
def dumps(tmp_path, monkeypatch):
    """Return a folder with many dumps; no history is kept."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("NOVA_PROFILER_HISTORY", raising=False)
    folder = tmp_path / "dumps"
    paths = written(
        folder,
        *(numbered(n, route=f"/r{n}") for n in range(MANY)),
        slow_rebuild(),
    )
    write_stats(paths[-1].with_suffix(".prof"), rebuild_stats())
    return folder


def printed(capsys, *args: str, code: int = 0) -> dict:
    assert main([*args, "--json"]) == code
    fields = json.loads(capsys.readouterr().out)
    assert next(iter(fields)) == "schema"
    return fields


@pytest.mark.parametrize("command", EMPTY)
@pytest.mark.parametrize("which", ["none yet", "none fits"])
def test_nothing_found_is_an_answer(tmp_path, dumps, capsys, command, which):
    """In each command: exit code 0, one line, and JSON that has its keys."""
    args = [*command.split(), "--dump-dir", str(dumps), "--route", "/no"]
    if which == "none yet":
        (tmp_path / "empty").mkdir()
        args[args.index("--dump-dir") + 1] = str(tmp_path / "empty")

    assert main(args) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1

    assert printed(capsys, *args) == {"schema": 1, **EMPTY[command]}


@pytest.mark.parametrize("command", NO_RUNS)
def test_no_run_yet_is_an_answer(dumps, capsys, command):
    """It says how the first is kept; a directory that was named must be."""
    assert main(command.split()) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "`nova-profiler history add NAME LOG...` keeps one" in shown.err

    assert printed(capsys, *command.split()) == {
        "schema": 1,
        **NO_RUNS[command],
    }
    assert main([*command.split(), "--history", "/no/where"]) == 2


@pytest.mark.parametrize(
    ("command", "rows", "all_of_them"),
    [
        ("list", lambda found: found["dumps"], MANY + 1),
        ("calls", lambda found: found["routes"], MANY + 1),
        ("top", lambda found: found["profiles"][0]["functions"], None),
    ],
)
def test_no_limit_cuts_json_silently(
    dumps, capsys, command, rows, all_of_them
):
    """Without one JSON has all, and with one how many are left out."""
    args = [command, "--dump-dir", str(dumps)]

    whole = rows(printed(capsys, *args))
    cut = printed(capsys, *args, "--limit", "2")

    assert all_of_them is None or len(whole) == all_of_them
    assert rows(cut) == whole[:2]
    holder = cut["profiles"][0] if command == "top" else cut
    assert holder["more"] == len(whole) - 2


def test_more_is_unknown_where_files_decide(dumps, capsys):
    """They are not all opened to count them."""
    args = ["list", "--dump-dir", str(dumps), "--status", "200"]

    assert printed(capsys, *args, "--limit", "2")["more"] is None
    assert printed(capsys, *args, "-n", "500")["more"] == 0


def test_a_record_keeps_its_own_schema(dumps, capsys):
    """Its version is that of the record, not of the commands."""
    shown = printed(capsys, "show", "--last", "--dump-dir", str(dumps))

    assert shown["schema"] == record().to_dict()["schema"]


@pytest.mark.parametrize(
    "args",
    [
        ["metrics", "rules"],
        ["prune", "--max-age", "1000d"],
        ["sign", "GET", "/v2.1/servers", "--key", "k" * 32],
    ],
)
def test_others_have_a_schema_too(dumps, monkeypatch, capsys, args):
    """Whatever a command is about."""
    monkeypatch.setenv("NOVA_PROFILER_DUMP_DIR", str(dumps))

    assert printed(capsys, *args)["schema"] == 1


def test_a_duration_means_the_same_everywhere(dumps, capsys):
    """With a unit in any option that takes one."""
    where = ["--dump-dir", str(dumps)]

    slow = printed(capsys, "list", *where, "--slow", "1s")
    assert printed(capsys, "list", *where, "--slow", "1") == slow
    assert printed(capsys, "list", *where, "--min-ms", "1000") == slow
    assert printed(capsys, "list", *where, "--min-ms", "1s") == slow
    assert len(slow["dumps"]) == 1


def test_one_name_for_the_order(dumps, capsys):
    """--sort; the names that it had before are still taken."""
    where = ["--dump-dir", str(dumps)]
    pair = [str(next(dumps.rglob("*.prof")))] * 2

    assert printed(capsys, "list", *where, "--sort", "slowest") == printed(
        capsys, "list", *where, "--slowest"
    )
    assert printed(capsys, "diff", *pair, "--sort", "cumtime") == printed(
        capsys, "diff", *pair, "--by", "cumtime"
    )


@pytest.mark.parametrize("command", ["list", "calls"])
def test_until_is_the_end_that_since_is_the_start_of(dumps, capsys, command):
    """What began at that very moment is of the next time."""
    args = [
        command,
        "--dump-dir",
        str(dumps),
        "--since",
        "2026-11-10T08:00:02",
    ]

    found = printed(capsys, *args, "--until", "2026-11-10T08:00:05")

    rows = found["dumps" if command == "list" else "routes"]
    assert sorted(row["route"] for row in rows) == ["/r2", "/r3", "/r4"]


def test_until_chooses_stacks(dumps, capsys):
    """Those of the only dump that has some, or none."""
    args = ["top", "--dump-dir", str(dumps), "--until"]

    assert printed(capsys, *args, "2026-11-22")["profiles"]
    assert not printed(capsys, *args, "2026-11-20")["profiles"]


def test_a_long_answer_takes_no_more_memory_than_it_is_about(
    tmp_path, monkeypatch
):
    """It is written as it is made, and is what json.dumps() returns."""
    fields = {"rows": [{"number": n, "text": "é" * 9} for n in range(20_000)]}
    path = tmp_path / "answer.json"
    with path.open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        tracemalloc.start()
        try:
            print_json(fields)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    written = path.read_text()
    assert written == json.dumps({"schema": 1, **fields}, indent=2) + "\n"
    assert peak < len(written) / 2
