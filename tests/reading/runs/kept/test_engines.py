# SPDX-License-Identifier: Apache-2.0
"""An engine reads the files of the history that was named, and no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from run_builders import entry, kept

from nova_profiler.cli import main
from nova_profiler.reading.runs.kept import engines
from nova_profiler.reading.runs.kept.buckets import Bucket
from nova_profiler.reading.runs.kept.engines import (
    engine_at,
    requests_of,
    rows_of,
)
from nova_profiler.reading.runs.kept.run import HistoryError


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("mine[0-9]", "mine1"),
        ("[!a]", "b"),
        ("[[]", "["),
        ("g*", "g[ab]"),
        ("**", "below/it"),
        ("q?", "qa"),
        ("{a,b}", "a"),
        ("{1..3}", "2"),
        ("a\\b", "ab"),
        ("~", "x"),
    ],
)
def test_the_name_of_a_folder_is_no_pattern(tmp_path, mine, other):
    """DuckDB would read the other's requests, or those of both."""
    history = kept(tmp_path / mine / "h", night=[entry(1.0)])
    kept(tmp_path / other / "h", night=[entry(2.0)])

    with engine_at() as backend:
        requests = requests_of(backend, history.directory, history.runs())
        found = rows_of(requests.select("run", "ms"))

    assert found == [{"run": "night", "ms": 1.0}]


def test_what_duckdb_cannot_escape_is_refused(tmp_path, capsys):
    """In one line that is about the folder, not about a damaged run."""
    history = kept(tmp_path / "a\\[b]", night=[entry(1.0)])

    for words in (["trend"], ["trend", "--format", "prometheus"]):
        where = ["--history", str(history.directory)]
        assert main(["history", *words, *where]) == 2
        err = capsys.readouterr().err
        assert "DuckDB cannot read a place with a \\ beside" in err
        assert "damaged" not in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("engine", ["clickhouse", "pyspark", "polars"])
@pytest.mark.parametrize(
    "folder", ["a*", "a?", "{a,b}", "{1..3}", "**", "a[b]", "a\\b"]
)
def test_other_engines_are_not_asked_for_patterns(engine, folder):
    """None of them has an escape that all have."""
    backend = SimpleNamespace(name=engine)

    with pytest.raises(HistoryError, match="as a pattern; move the history"):
        requests_of(backend, Path("/somewhere") / folder, [])


@pytest.mark.parametrize("prefix", ["a*", "a[b]", "{a,b}", "a\\b", "a/**"])
def test_a_url_is_no_pattern(prefix):
    """Engines and packages of stores disagree on what stands for itself."""
    with pytest.raises(HistoryError, match="as a pattern; move the history"):
        Bucket(f"memory://bucket/{prefix}")


def test_what_duckdb_may_take_is_bounded(tmp_path, monkeypatch):
    """Memory is, and what has no room lies in no folder that others made."""
    monkeypatch.chdir(tmp_path)

    with engine_at() as backend:
        ((memory, folder),) = backend.raw_sql(
            "SELECT current_setting('memory_limit'), "
            "current_setting('temp_directory')"
        ).fetchall()
        assert memory == "1.8 GiB"
        assert Path(folder).stat().st_mode & 0o777 == 0o700

    assert not Path(folder).exists()
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_files_runs_are_read(tmp_path, monkeypatch):
    """A container may have none that can be written to."""

    def full(**options):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(engines, "TemporaryDirectory", full)
    history = kept(tmp_path, night=[entry(1.0)])

    with engine_at() as backend:
        requests = requests_of(backend, history.directory, history.runs())
        assert rows_of(requests.select("ms")) == [{"ms": 1.0}]


def test_too_many_requests_are_one_line_and_no_damage(
    tmp_path, monkeypatch, capsys
):
    """With what gives them room."""
    history = kept(tmp_path, night=[entry(1.0)])
    (part,) = tmp_path.glob("run=night/*.parquet")
    table = pq.read_table(part)
    pq.write_table(table.take([0] * 1_000_000), part, compression="zstd")
    monkeypatch.setattr(engines, "_MEMORY", "30MB")

    for words in (["trend"], ["trend", "--json"]):
        where = ["--history", str(history.directory)]
        assert main(["history", *words, *where]) == 2
        err = capsys.readouterr().err
        assert "name fewer runs, or give it more, as by --engine" in err
        assert "damaged" not in err
        assert err.count("\n") == 1

    more = ["--engine", "duckdb://?memory_limit=2GB"]
    assert main(["history", "trend", *where, *more]) == 0
