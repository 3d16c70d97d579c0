# SPDX-License-Identifier: Apache-2.0
"""Finding nothing has one exit code in all commands, and so has an error."""

from __future__ import annotations

import json

import pytest
from builders import numbered, written

from nova_profiler.cli import COMMANDS, main
from nova_profiler.reading.command_line.answers import ANSWERED, FAILED

# What is read of a place that has nothing yet: {dumps} and {history} are
# empty folders.
NOTHING_KEPT = {
    "list": "list --dump-dir {dumps}",
    "show": "show --last --dump-dir {dumps}",
    "show slowest": "show --slowest --dump-dir {dumps}",
    "calls": "calls --dump-dir {dumps}",
    "prune": "prune --max-files 1 --dump-dir {dumps}",
    "top": "top --dump-dir {dumps}",
    "diff": "diff --before 1h --dump-dir {dumps}",
    "export": "export --dump-dir {dumps}",
    "running": "running --dump-dir {dumps}",
    "size": "size --dump-dir {dumps}",
    "history": "history list --history {history}",
    "history trend": "history trend --history {history}",
}
# Options that fit none of what is there.
NOTHING_FITS = {
    "list": "list --route /no --dump-dir {one}",
    "calls": "calls --route /no --dump-dir {one}",
    "calls of a log": "calls --route /no {log}",
    "prune": "prune --max-files 9 --dump-dir {one}",
    "top": "top --route /no --dump-dir {one}",
    "diff": "diff --before 1h --route /no --dump-dir {one}",
    "export": "export --route /no --dump-dir {one}",
    "report": "report --route /no {log}",
    "report by time": "report --until 2000-01-01 {log}",
}
# Arguments that are there, and have nothing of what the command reads.
NAMED_AND_EMPTY = {
    "show": "show req-ffff --dump-dir {one}",
    "show a place": "show --last {dumps}",
    "calls": "calls {empty_log}",
    "calls of a foreign log": "calls {foreign_log}",
    "top": "top {dumps}",
    "diff": "diff {dumps} {dumps}",
    "export": "export {dumps}",
    "report": "report {empty_log}",
    "report of a foreign log": "report {foreign_log}",
    "report of a folder": "report {dumps}",
    "follow": "follow req-ffff {log}",
    "history": "history add night {empty_log} --history {history}",
    "history of a run": "history remove night --history {history}",
    "compare": "compare {empty_log} {empty_log}",
    "size": "size {empty_log}",
    "size of a foreign log": "size {foreign_log}",
}
# They read no dumps, runs or logs, or serve pages until they are stopped.
OTHERS = {"sign", "serve", "check", "metrics", "shipper", "schema"}


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return the paths that commands are given, by name."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR", raising=False)
    paths = {
        name: tmp_path / name
        for name in "dumps history one log empty_log foreign_log".split()
    }
    for name in ("dumps", "history"):
        paths[name].mkdir()
    written(paths["one"], numbered(1))
    # The log_file has no timeline.
    line = {**numbered(1).to_dict()}
    line.pop("timeline", None)
    paths["log"].write_text(json.dumps(line) + "\n")
    paths["empty_log"].write_text("")
    paths["foreign_log"].write_text("hello\n")
    return paths


def run(capsys, places, command: str, *more: str) -> tuple[int, str, str]:
    code = main([*command.format(**places).split(), *more])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_each_command_that_reads_has_a_row():
    """A new one has to say what it does where it finds nothing."""
    rows = [*NOTHING_KEPT, *NOTHING_FITS, *NAMED_AND_EMPTY]

    assert {row.split()[0] for row in rows} | OTHERS == set(COMMANDS)


@pytest.mark.parametrize("case", NOTHING_KEPT)
def test_a_place_without_anything_yet_is_an_answer(capsys, places, case):
    """An installation begins so; one line says what to do."""
    code, _, err = run(capsys, places, NOTHING_KEPT[case])

    assert code == ANSWERED
    assert err.count("\n") == (case != "prune")


@pytest.mark.parametrize("case", NOTHING_FITS)
def test_that_nothing_fits_is_an_answer(capsys, places, case):
    assert run(capsys, places, NOTHING_FITS[case])[0] == ANSWERED


@pytest.mark.parametrize("case", NAMED_AND_EMPTY)
def test_an_argument_must_have_what_is_read(capsys, places, case):
    """A job that names the wrong log is not green."""
    code, out, err = run(capsys, places, NAMED_AND_EMPTY[case])

    assert (code, out) == (FAILED, "")
    assert "nova-profiler: " in err


@pytest.mark.parametrize("case", NOTHING_KEPT.values())
def test_json_has_its_keys_where_there_is_nothing(capsys, places, case):
    """A program that reads it needs no case of its own."""
    code, out, _ = run(capsys, places, case, "--json")

    assert code == ANSWERED
    assert next(iter(json.loads(out))) == "schema"


@pytest.mark.parametrize("rows", [NOTHING_KEPT, NOTHING_FITS])
def test_a_place_that_is_not_there_is_an_error(capsys, places, rows):
    """Whatever else is asked."""
    places |= dict.fromkeys(places, "/no/where")

    for command in rows.values():
        assert run(capsys, places, command)[0] == FAILED, command
