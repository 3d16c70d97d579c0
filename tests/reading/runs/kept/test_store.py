# SPDX-License-Identifier: Apache-2.0
"""The history directory: whole runs or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from places import PYTHONPATH
from run_builders import START, entry, kept

from nova_profiler.reading.runs.kept.run import HistoryError
from nova_profiler.reading.runs.kept.schema import SCHEMA, SCHEMA_KEY
from nova_profiler.reading.runs.kept.store import History


def names(directory) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_run_is_one_row_a_request(tmp_path):
    """In the order of the logs, with the schema's number in the file."""
    history = kept(tmp_path, night=[entry(1.5), entry(2.5, at=START + 60)])

    (run,) = history.runs()

    assert (run.name, run.requests, run.schema) == ("night", 2, SCHEMA)
    assert run.first_at == "2025-11-13T02:13:20.000+00:00"
    assert run.last_at == "2025-11-13T02:14:20.000+00:00"
    file = tmp_path / "run=night" / run.parts[0]
    table = pq.ParquetFile(file).read()
    assert table["ms"].to_pylist() == [1.5, 2.5]
    assert table.schema.metadata[SCHEMA_KEY] == b"%d" % SCHEMA
    assert run.bytes == file.stat().st_size


def test_only_its_owner_may_read_it(tmp_path):
    """Logs hold names and addresses."""
    kept(tmp_path / "new", night=[entry()])

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    folder = tmp_path / "new" / "run=night"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_runs_are_in_the_order_in_which_they_ran(tmp_path):
    """Neither in that of their names nor of their adding."""
    history = kept(
        tmp_path, a=[entry(at=START + 9)], c=[entry(at=START)], b=[entry()]
    )

    assert [run.name for run in history.runs()] == ["b", "c", "a"]


def test_a_second_run_of_a_name_is_refused(tmp_path):
    """Unless it replaces the first."""
    history = kept(tmp_path, night=[entry()])

    with pytest.raises(HistoryError, match="kept already; give --replace"):
        history.add("night", [entry()])
    history.add("night", [entry(), entry()], replace=True)

    assert history.run("night").requests == 2
    assert names(tmp_path) == ["run=night"]


def test_an_empty_run_is_refused(tmp_path):
    """It would compare as a run without a request."""
    with pytest.raises(HistoryError, match="no request in these logs"):
        History(tmp_path).add("night", [])

    assert names(tmp_path) == []


def test_times_that_cannot_be_counted_are_counted(tmp_path):
    """Minus one and nan are no times."""
    bad = [entry(float("nan")), entry(-1.0), entry(float("inf"))]

    run, uncounted = History(tmp_path).add("night", [entry(), *bad])

    assert (run.requests, uncounted) == (1, 3)


def test_logs_that_fail_midway_leave_nothing(tmp_path):
    """The run is as if it had never been begun."""

    def failing():
        yield entry()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        History(tmp_path).add("night", failing())

    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "-x", "a b", "null", "x" * 101, "a\x1b[31m"]
)
def test_a_name_is_a_plain_word(tmp_path, name):
    """It becomes a directory, and a value in many engines."""
    with pytest.raises(HistoryError, match="name is up to 100 letters"):
        History(tmp_path).add(name, [entry()])


def test_the_message_about_an_unknown_run_has_the_nearest_name(tmp_path):
    """Mostly it is a typing error."""
    history = kept(tmp_path, nightly_7=[entry()])

    with pytest.raises(HistoryError, match="did you mean nightly-7"):
        history.run("nightly7")


def test_removed_runs_are_gone(tmp_path):
    """With all that they had."""
    kept(tmp_path, night=[entry()]).remove("night")

    assert names(tmp_path) == []


def manifest(directory, **changes) -> None:
    path = directory / "run=night" / "_run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_newer_schema_is_refused_by_name(tmp_path):
    """The message has the remedy; the other runs are listed."""
    history = kept(tmp_path, night=[entry()], old=[entry()])
    manifest(tmp_path, schema=99)

    unreadable: list[str] = []
    assert [run.name for run in history.runs(unreadable)] == ["old"]
    assert unreadable == [
        f"run night: schema 99 is newer than this version reads ({SCHEMA}); "
        "upgrade nova-profiler"
    ]
    with pytest.raises(HistoryError, match="schema 99 is newer"):
        history.run("night")


def unreadable_of(history) -> list[str]:
    unreadable: list[str] = []
    history.runs(unreadable)
    return unreadable


@pytest.mark.parametrize("name", ["added_at", "first_at", "last_at"])
@pytest.mark.parametrize(
    "time",
    [
        "zzzz",
        "",
        "\x1b[31m",
        "2026-11-21T10:00:00",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+14:00",
        ["2026-11-21T10:00:00+00:00"],
        20261121,
    ],
    ids=str,
)
def test_a_time_that_is_none_makes_no_run_the_newest(tmp_path, name, time):
    """As texts they would sort behind each time there will be."""
    history = kept(tmp_path, night=[entry()], old=[entry()])
    manifest(tmp_path, **{name: time})

    assert unreadable_of(history) == ["run night: _run.json is damaged"]


def test_runs_are_in_order_whatever_the_zone_of_their_times(tmp_path):
    """Texts of one zone alone sort as times do."""
    history = kept(tmp_path, night=[entry(at=START)], old=[entry(at=START)])
    manifest(tmp_path, first_at="2025-11-13T14:00:00.000+14:00")

    night, old = history.runs()

    assert (night.name, old.name) == ("night", "old")
    assert night.first_at == "2025-11-13T00:00:00.000+00:00"


@pytest.mark.parametrize(
    "parts",
    [
        ["part-*.parquet"],
        ["part-0000[0-9].parquet"],
        ["part-0000?.parquet"],
        ["part-00000.parquet", "part-00000.parquet"],
        ["../run=old/part-00000.parquet"],
        ["../../etc/passwd"],
        "part-00000.parquet",
        [7],
    ],
    ids=str,
)
def test_a_part_has_the_name_of_one(tmp_path, parts):
    """An engine opens a pattern, although it is a file, as several.

    And the manifest is not trusted with paths.
    """
    history = kept(tmp_path, night=[entry()], old=[entry()])
    if isinstance(parts, list):
        for part in map(str, parts):
            (tmp_path / "run=night" / os.path.basename(part)).touch()
    manifest(tmp_path, parts=parts)

    assert unreadable_of(history) == ["run night: _run.json is damaged"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 1}', "[" * 100_000, '{"schema":[]}']
)
def test_a_damaged_manifest_is_named(tmp_path, text):
    """The other runs are listed."""
    history = kept(tmp_path, night=[entry()], old=[entry()])
    (tmp_path / "run=night" / "_run.json").write_text(text)

    unreadable: list[str] = []
    assert [run.name for run in history.runs(unreadable)] == ["old"]
    assert unreadable == ["run night: _run.json is damaged"]


def test_a_manifest_that_is_a_pipe_is_not_waited_for(tmp_path):
    """Its run is named; one that is too large is as well."""
    for name in ("night", "large"):
        (tmp_path / f"run={name}").mkdir()
    os.mkfifo(tmp_path / "run=night" / "_run.json")
    with (tmp_path / "run=large" / "_run.json").open("wb") as file:
        file.truncate(1 << 40)
    unreadable = []

    assert History(tmp_path).runs(unreadable) == []

    assert [line[:45] for line in sorted(unreadable)] == [
        "run large: _run.json: 1099511627776 bytes, mo",
        "run night: _run.json: not a regular file",
    ]


def test_a_missing_part_is_named(tmp_path):
    """A run is whole or it is none."""
    history = kept(tmp_path, night=[entry()])
    (tmp_path / "run=night" / "part-00000.parquet").unlink()

    with pytest.raises(HistoryError, match="part-00000.parquet is missing"):
        history.run("night")


def test_foreign_files_are_left_alone(tmp_path):
    """They are neither listed nor removed."""
    history = kept(tmp_path, night=[entry()])
    (tmp_path / "README").write_text("mine")
    (tmp_path / "run=a b").mkdir()

    assert [run.name for run in history.runs()] == ["night"]
    history.remove("night")
    assert names(tmp_path) == ["README", "run=a b"]


def test_the_message_about_no_history_has_the_first_command(tmp_path):
    """The first command of a newcomer may be list."""
    with pytest.raises(HistoryError, match="keep a run first"):
        History(tmp_path / "none").runs()


KILLED = """
import os, signal, sys
from run_builders import entry
from nova_profiler.reading.runs.kept import writing
from nova_profiler.reading.runs.kept.store import History

writing._BATCH_ROWS, writing._GROUP_ROWS, writing._PART_ROWS = 50, 100, 200

def entries():
    for number in range(1000):
        yield entry(1.0)
        if number == 750:
            os.kill(os.getpid(), signal.SIGKILL)

History(sys.argv[1]).add("night", entries(), replace=True)
"""


@pytest.mark.parametrize("has_old", [False, True])
def test_a_killed_add_leaves_no_half_run(tmp_path, has_old):
    """kill -9 after a whole part is on the disk: the old run, or none."""
    history = History(tmp_path)
    history.add("other", [entry()])
    if has_old:
        history.add("night", [entry()])

    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    aside = [name for name in names(tmp_path) if name.startswith(".adding")]
    parts = sorted((tmp_path / aside[0]).glob("part-*.parquet"))
    assert len(parts) == 4
    assert pq.ParquetFile(parts[0]).metadata.num_rows == 200
    expected = ["night", "other"] if has_old else ["other"]
    assert sorted(run.name for run in history.runs()) == expected
    assert names(tmp_path) == [f"run={name}" for name in expected]


def test_a_replacement_killed_midway_gives_the_old_run_back(tmp_path):
    """Between the two renames the old run is aside; it comes back."""
    history = kept(tmp_path, night=[entry()])
    (tmp_path / "run=night").rename(tmp_path / ".replaced-night")

    assert history.run("night").requests == 1
    assert names(tmp_path) == ["run=night"]


def test_the_rest_of_a_replacement_goes(tmp_path):
    """The new run stays; the old one was not yet removed."""
    history = kept(tmp_path, night=[entry(), entry()])
    (tmp_path / ".replaced-night").mkdir()
    (tmp_path / ".removed-1").mkdir()

    assert history.run("night").requests == 2
    assert names(tmp_path) == ["run=night"]


def test_a_run_on_its_way_is_not_cleared_away(tmp_path):
    """The lock of its writer shows that it is not left over."""
    history = History(tmp_path)
    seen: list[str] = []

    def entries():
        yield entry()
        history.runs()
        seen.extend(names(tmp_path))
        yield entry()

    history.add("night", entries())

    assert [name[:14] for name in seen] == [".adding-night-"]
    assert history.run("night").requests == 2


def test_a_run_that_is_a_link_goes_as_a_link(tmp_path):
    """Its target stays; a link to nothing goes, too."""
    elsewhere = kept(tmp_path / "elsewhere", night=[entry()])
    history = History(tmp_path / "history")
    history.directory.mkdir()
    for name, target in (("night", "run=night"), ("lost", "run=lost")):
        link = history.directory / f"run={name}"
        link.symlink_to(elsewhere.directory / target)

    assert history.run("night").requests == 1
    history.remove("night")
    history.remove("lost")

    assert names(history.directory) == []
    assert elsewhere.run("night").requests == 1


def test_links_and_files_left_over_go(tmp_path):
    """One that cannot be removed does not keep the others."""
    history = kept(tmp_path / "history", night=[entry()])
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    for left in (".removed-1", ".replaced-night"):
        (history.directory / left).symlink_to(target)
    (history.directory / ".adding-1").touch()
    (history.directory / ".removed-2").touch()

    assert [run.name for run in history.runs()] == ["night"]

    assert names(history.directory) == [".adding-1", "run=night"]
    assert names(target) == ["kept"]


def test_a_link_is_replaced_and_its_target_stays(tmp_path):
    """The name then has a run of its own."""
    elsewhere = kept(tmp_path / "elsewhere", night=[entry()])
    history = History(tmp_path / "history")
    history.directory.mkdir()
    link = history.directory / "run=night"
    link.symlink_to(elsewhere.directory / "run=night")

    history.add("night", [entry(), entry()], replace=True)

    assert history.run("night").requests == 2
    assert elsewhere.run("night").requests == 1
    assert names(history.directory) == ["run=night"]


def test_a_file_with_the_name_of_a_run_is_named(tmp_path):
    """The other runs are listed."""
    history = kept(tmp_path, night=[entry()])
    (tmp_path / "run=odd").touch()
    unreadable: list[str] = []

    assert [run.name for run in history.runs(unreadable)] == ["night"]
    assert unreadable == ["run odd: _run.json cannot be read: Not a directory"]
