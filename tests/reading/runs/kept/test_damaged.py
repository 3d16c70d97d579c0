# SPDX-License-Identifier: Apache-2.0
"""A run with rows that no run keeps is named; the others are read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_builders import entry, kept, run_of
from textfiles import samples

from nova_profiler.cli import main
from nova_profiler.reading.runs.kept.damaged import levels_of_sound
from nova_profiler.reading.runs.kept.engines import engine_at
from nova_profiler.record.rows import MOST

IMPOSSIBLE = "is damaged: a time that cannot be\n"
NAMELESS = "is damaged: a request without a method or a route\n"
HOSTILE = [
    ("ms", None, IMPOSSIBLE),
    ("ms", float("nan"), IMPOSSIBLE),
    ("ms", float("inf"), IMPOSSIBLE),
    ("ms", float("-inf"), IMPOSSIBLE),
    ("ms", -1.0, IMPOSSIBLE),
    ("ms", 1e308, IMPOSSIBLE),
    ("route", None, NAMELESS),
    ("method", None, NAMELESS),
]


def changed(directory: Path, name: str, column: str, values: list) -> None:
    """Put the first of *values* into a run's column, as its file has it."""
    (part,) = (directory / f"run={name}").glob("*.parquet")
    table = pq.ParquetFile(part).read()
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    rest = table.column(place).to_pylist()[len(values) :]
    found = pa.array([*values, *rest], field.type)
    pq.write_table(table.set_column(place, field, found), part)


def replaced(directory: Path, name: str, column: str, values) -> None:
    """Have a run's column be of another kind; None takes it away."""
    (part,) = (directory / f"run={name}").glob("*.parquet")
    table = pq.ParquetFile(part).read()
    place = table.schema.get_field_index(column)
    if values is None:
        table = table.remove_column(place)
    else:
        column_of = pa.array([values] * len(table))
        table = table.set_column(place, column, column_of)
    pq.write_table(table, part)


@pytest.fixture
def history(tmp_path):
    """Return three runs; the hostile one is the newest."""
    return kept(
        tmp_path / "h",
        a=run_of(1, routes=2, calls=10),
        b=run_of(2, routes=2, calls=10, day=1),
        bad=run_of(3, routes=2, calls=10, day=2),
    )


def said(capsys, history, *words):
    code = main([*words, "--history", str(history.directory)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(("column", "value", "why"), HOSTILE, ids=str)
def test_a_run_with_a_hostile_row_is_left_out(
    capsys, history, column, value, why
):
    """Of trend in each format; compare names it, too."""
    changed(history.directory, "bad", column, [value])

    code, out, err = said(capsys, history, "history", "trend")
    assert (code, err) == (0, f"skipped: run bad: {why}")
    assert "2 runs, 2 routes" in out

    prometheus = ("history", "trend", "--format", "prometheus")
    code, out, err = said(capsys, history, *prometheus)
    assert (code, err) == (0, f"skipped: run bad: {why}")
    assert samples(out)["nova_profiler_report_all_request_seconds_count", ""]

    for sides in (("a", "bad"), ("*", "a")):
        code, out, err = said(capsys, history, "compare", *sides)
        assert (code, out) == (2, "")
        assert err == f"nova-profiler: run bad: {why}"


@pytest.mark.parametrize("bad", ["a", "bad"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("route", 7),
        ("method", 1.5),
        ("ms", "long"),
        ("status", "fine"),
        ("route", None),
        ("ms", None),
        ("status", None),
    ],
)
def test_a_run_with_columns_of_other_kinds_is_left_out(
    capsys, history, bad, column, value
):
    """Be it the first, whose kinds DuckDB takes for those of all."""
    replaced(history.directory, bad, column, value)

    for shape in ("text", "prometheus"):
        words = ("history", "trend", "--format", shape)
        code, out, err = said(capsys, history, *words)
        assert code == 0
        assert out
        # Behind a run of the right kinds DuckDB makes texts of numbers.
        is_cast = shape == "text" and bad == "bad" and value in (7, 1.5)
        if (shape == "text" or bad == "bad") and not is_cast:
            assert err.startswith(f"skipped: run {bad}: is damaged: ")
            assert err.count("\n") == 1


@pytest.mark.parametrize(
    "odd", [float("nan"), float("inf"), -5.0, 1e308, None], ids=str
)
def test_a_part_of_a_time_that_cannot_be_is_none(capsys, history, odd):
    """As the pages have it; Prometheus would keep a nan."""
    changed(history.directory, "bad", "sql_ms", [250.0, odd])
    replaced(history.directory, "bad", "http_ms", "long")

    words = ("history", "trend", "--format", "prometheus")
    code, out, _ = said(capsys, history, *words)

    assert code == 0
    sums = [
        value
        for (_, labels), value in samples(out).items()
        if 'part="sql"' in labels
    ]
    assert sums
    assert set(sums) == {0.25}


@pytest.fixture(scope="module")
def backend():
    """Return the engine inside, for all examples."""
    with engine_at() as backend:
        yield backend


@settings(max_examples=10, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.text(max_size=3),
            st.none() | st.text(max_size=3),
            st.none() | st.floats(),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_run_is_left_out_for_hostile_rows_alone(backend, rows):
    """Whatever its other rows are; any other run is read."""
    is_hostile = any(
        method is None or route is None or ms is None or not 0 <= ms <= MOST
        for method, route, ms in rows
    )
    unreadable: list[str] = []
    with TemporaryDirectory() as place:
        directory = Path(place)
        runs = kept(directory, odd=[entry()] * len(rows), fine=[entry()])
        for column, values in zip(
            ("method", "route", "ms"), zip(*rows, strict=True), strict=True
        ):
            changed(directory, "odd", column, list(values))

        levels, sound = levels_of_sound(
            backend, directory, runs.runs(), unreadable
        )

    assert [run.name for run in sound].count("fine") == 1
    assert len(sound) == (1 if is_hostile else 2)
    assert len(unreadable) == is_hostile
    assert {row["run"] for row in levels} == {run.name for run in sound}
