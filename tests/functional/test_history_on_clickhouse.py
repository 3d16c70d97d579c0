# SPDX-License-Identifier: Apache-2.0
"""History on ClickHouse's engine: the figures that DuckDB gives."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from places import PROGRAMS
from run_builders import alike, four_runs, kept, run_of
from services import missing
from textfiles import samples

from nova_profiler.cli import main

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """Give the URL of a server: chdb, which has the engine as a library."""
    for package in ("chdb", "clickhouse_connect"):
        if importlib.util.find_spec(package) is None:
            missing(f"no {package}: make functional installs it")
    with subprocess.Popen(
        [sys.executable, str(PROGRAMS / "clickhouse_front.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as front:
        port = front.stdout.readline().strip()
        yield f"clickhouse://default:@127.0.0.1:{port}/default"
        front.stdin.close()


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> str:
    """Return a history of four runs; in the last /r7 is slower."""
    # A quote in its name ends no text of SQL, and it is no run's folder. Nor
    # are those above it partitions of the history.
    above = tmp_path_factory.mktemp("history") / "run=all" / "method=GET"
    return four_runs(above / "dry-run=it's")


def answer(capsys, *words: str) -> tuple[int, object]:
    code = main([*words, "--json"])
    shown = capsys.readouterr()
    assert code in (0, 1), shown.err
    return code, json.loads(shown.out)


@pytest.mark.parametrize(
    "words",
    [
        ["history", "trend"],
        ["history", "trend", "--last", "1"],
        ["compare", "n?", "slow", "--fail-above", "10"],
        ["compare", "n2", "n3"],
    ],
    ids=" ".join,
)
def test_clickhouse_says_what_duckdb_says(capsys, engine, history, words):
    """The same expressions over the same Parquet: the same figures."""
    where = "--history", history
    code, inside = answer(capsys, *words, *where)
    other_code, larger = answer(capsys, *words, *where, "--engine", engine)

    assert alike(inside, larger)
    assert code == other_code
    assert inside


def test_the_textfile_is_that_of_duckdb(capsys, engine, history):
    """Sums and percentiles of the newest run."""
    words = ["history", "trend", "--format", "prometheus"]
    texts = []
    for more in ([], ["--engine", engine]):
        assert main([*words, "--history", history, *more]) == 0
        texts.append(samples(capsys.readouterr().out))

    assert texts[1] == pytest.approx(texts[0], rel=1e-6)
    assert texts[0]


def test_the_slower_route_is_found(capsys, engine, history):
    """Not only the same, but right."""
    _, found = answer(
        capsys,
        *("compare", "n?", "slow", "--history", history, "--engine", engine),
    )

    slower = [
        row["route"] for row in found["routes"] if row["verdict"] == "slower"
    ]
    assert slower == ["/r7"]


def test_a_store_that_it_cannot_read_is_named(capsys, engine):
    """Before the server is asked for it."""
    from nova_profiler.reading.runs.kept.buckets import Bucket

    url = "memory://clickhouse/history"
    Bucket(url).add("n1", run_of(1, routes=2, calls=5))

    assert (
        main(["history", "trend", "--history", url, "--engine", engine]) == 2
    )

    assert "ClickHouse reads s3://" in capsys.readouterr().err


@pytest.mark.parametrize("value", [None, float("nan"), -1.0, float("inf")])
def test_a_run_with_a_hostile_row_is_left_out(capsys, engine, tmp_path, value):
    """As by DuckDB: one query finds it among the others."""
    runs = {"ok": run_of(1, calls=3), "bad": run_of(2, calls=3)}
    directory = kept(tmp_path, **runs).directory
    part = directory / "run=bad" / "part-00000.parquet"
    table = pq.ParquetFile(part).read()
    place = table.schema.get_field_index("ms")
    times = pa.array([value, *table["ms"].to_pylist()[1:]], pa.float64())
    pq.write_table(table.set_column(place, "ms", times), part)
    words = ["history", "trend", "--history", str(directory)]

    assert main([*words, "--engine", engine]) == 0

    out, err = capsys.readouterr()
    assert err == "skipped: run bad: is damaged: a time that cannot be\n"
    assert "1 run, 30 routes" in out


def test_a_folder_that_it_takes_for_several_is_refused(
    capsys, engine, tmp_path
):
    """It would read the runs of the folder beside it, and has no escape."""
    history = kept(tmp_path / "{a,b}", night=run_of(1, calls=3))
    kept(tmp_path / "a", night=run_of(2, calls=3))
    words = ["history", "trend", "--history", str(history.directory)]

    assert main([*words, "--engine", engine]) == 2

    err = capsys.readouterr().err
    assert "as a pattern; move the history" in err
    assert err.count("\n") == 1
