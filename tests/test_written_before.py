# SPDX-License-Identifier: Apache-2.0
"""Files of the release before this tree are still read.

``written_before`` was written by the code as it was before its folders
moved: dumps of every engine, a log file, and a kept run.
"""

from __future__ import annotations

import json
import shutil

import pytest
from places import TESTS

from nova_profiler.capture.choosing.armed_routes import Armed
from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore
from nova_profiler.profiles.loading import load

WRITTEN = TESTS / "written_before"
DUMPS = ("--dump-dir", str(WRITTEN / "dumps"))


def printed(capsys, *args):
    """Return what a command prints, which must say nothing on stderr."""
    code = main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def test_every_dump_is_read(capsys):
    """With its calls, statements and timeline."""
    shown = json.loads(printed(capsys, "list", "--json", *DUMPS))["dumps"]

    assert len(shown) == 5
    store = DumpStore(WRITTEN / "dumps", 10, 10, 10)
    for entry in store.entries([]):
        record = store.read(entry)
        assert record.groups["db_api"].calls == 4
        calls = sum(totals.calls for totals in record.groups.values())
        assert len(record.timeline) == calls
        assert (record.kind, record.record_id) == ("request", None)
        (statement,) = record.statements
        assert statement.count == 4


@pytest.mark.parametrize("engine", ["pyspy", "pyinstrument", "cprofile"])
def test_every_engines_stacks_are_read(engine, capsys):
    """And name the function that was made slow."""
    (path,) = [
        path.with_name(fields["profile"]["file"])
        for path in (WRITTEN / "dumps").rglob("*.json")
        for fields in [json.loads(path.read_text())]
        if (fields["profile"] or {}).get("engine") == engine
    ]

    profile = load(path)

    assert profile.engine == engine
    assert "burn" in printed(capsys, "top", path)


def test_the_log_file_is_read(capsys):
    """By the report and by the table of calls."""
    log = WRITTEN / "requests.json"

    report = json.loads(printed(capsys, "report", log, "--json"))
    calls = json.loads(printed(capsys, "calls", log, "--json"))["routes"]

    assert report["total"]["calls"] == 6
    assert sum(route["totals"]["calls"] for route in calls) == 24


def test_a_kept_run_is_read(capsys, tmp_path):
    """And one that is kept now goes beside it."""
    history = tmp_path / "history"
    shutil.copytree(WRITTEN / "history", history)
    kept = ("--history", history)

    printed(capsys, "history", "add", "now", WRITTEN / "requests.json", *kept)
    runs = json.loads(printed(capsys, "history", "list", "--json", *kept))[
        "runs"
    ]

    assert {run["name"]: run["requests"] for run in runs} == {
        "night": 6,
        "now": 6,
    }
    assert printed(capsys, "compare", "night", "now", *kept)


def test_a_table_of_armed_routes_of_another_form_arms_nothing(tmp_path):
    """It is left behind by workers of before; the next slow request arms."""
    shutil.copy(WRITTEN / "dumps" / ".armed", tmp_path)
    armed = Armed(lambda: 1_000.0, str(tmp_path))

    before = armed.take("GET", "/v2.1/servers")
    armed.arm("GET", "/v2.1/servers")

    assert before is False
    assert armed.take("GET", "/v2.1/servers") is True
