# SPDX-License-Identifier: Apache-2.0
"""Rows of a run: every entry fits, however odd."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from run_builders import entry

from nova_profiler import groups
from nova_profiler.reading.runs.kept.schema import (
    COLUMNS,
    SCHEMA,
    batches_of,
)


def rows_of(*entries) -> list[dict]:
    return pa.Table.from_batches(batches_of(entries, 2)).to_pylist()


def test_the_breakdown_becomes_columns():
    """One for each bucket; unknown ones go into other."""
    row = rows_of(entry(breakdown_ms={"sql": 1.0, "python": 2.0, "gpu": 4.0}))

    assert row[0]["sql_ms"] == 1.0
    assert row[0]["python_ms"] == 2.0
    assert row[0]["other_ms"] == 4.0
    assert row[0]["fetch_ms"] is None


def test_a_new_bucket_has_a_new_schema():
    """Files of schema 1 have these columns in all releases, for ever."""
    first = [one.name for one in groups.BUCKETS if one.since == 1]

    assert first == [
        "sql",
        "fetch",
        "transaction",
        "connect",
        "pool_wait",
        "ping",
        "sqlalchemy",
        "timed",
        "waiting",
        "python",
    ]
    assert max(one.since for one in groups.BUCKETS) == SCHEMA
    assert [f"{one.name}_ms" for one in groups.BUCKETS] == [
        *COLUMNS.names[-1 - len(groups.BUCKETS) : -1]
    ]


def test_batches_are_bounded():
    """Memory does not grow with the logs."""
    sizes = [len(batch) for batch in batches_of([entry()] * 5, 2)]

    assert sizes == [2, 2, 1]


def test_numbers_beyond_a_column_are_none():
    """A hostile line loses its own value; the run stays."""
    odd = entry(status=2**40, response_bytes=2**70, route="/\ud800")

    row, plain = rows_of(odd, entry(status=204))

    assert (row["status"], row["response_bytes"]) == (None, None)
    assert row["route"] == "/?"
    assert plain["status"] == 204


@given(
    st.text(st.characters(codec=None), max_size=20),
    st.none() | st.floats(),
    st.none() | st.integers(),
    st.none() | st.text(st.characters(codec=None), max_size=5),
)
def test_any_entry_becomes_a_row(route, at, number, text):
    """A parser of logs may let anything through."""
    odd = entry(
        route=route,
        at=at,
        status=number if number is not None else 0,
        response_bytes=number,
        user_name=text,
        db_api_calls=number,
    )

    (batch,) = batches_of([odd], 1)

    assert batch.schema == COLUMNS
    assert len(batch) == 1
