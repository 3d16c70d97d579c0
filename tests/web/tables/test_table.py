# SPDX-License-Identifier: Apache-2.0
"""A table is a sequence of its rows, whatever they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.record.rows import PARTS
from nova_profiler.web.rows import DAMAGED, NAMED, READ, Row, parts_of
from nova_profiler.web.tables import Held
from nova_profiler.web.tables.columns import Columns
from nova_profiler.web.tables.names import OTHERS, Names
from nova_profiler.web.tables.table import Table

TEXT = st.text(max_size=20)
MS = st.floats(0, 1e12)
PARTS_MS = st.dictionaries(st.sampled_from(PARTS), MS)
ROWS = st.lists(
    st.builds(
        Row,
        TEXT,
        st.none(),
        st.integers(0, 4 * 10**12).map(lambda ms: ms / 1000),
        MS,
        TEXT,
        st.sampled_from([NAMED, READ, DAMAGED]),
        st.integers(0, 9999),
        TEXT,
        st.text("req-0123456789abcdef", max_size=64),
        user=TEXT,
        host=TEXT,
        parts=PARTS_MS.map(parts_of),
        is_failed=st.booleans(),
        problem=TEXT,
        global_request_id=st.text("req-0123456789abcdef", max_size=64),
    ),
    max_size=20,
)


@given(ROWS)
def test_rows_come_back(rows):
    """As they were, one by one, sliced, and chosen."""
    table = Table.of(rows)

    assert list(table) == rows
    assert table[1:3] == rows[1:3]
    assert [table[-1]] == rows[-1:] if rows else len(table) == 0
    failed = table.chosen(table.column("is_failed"))
    assert list(failed) == [row for row in rows if row.is_failed]
    named = failed.chosen(failed.column("state") == 0)
    assert list(named) == [row for row in failed if row.state == NAMED]


def test_there_is_no_row_behind_the_last():
    """As with a list."""
    with pytest.raises(IndexError, match="1"):
        Table.of([Row("", None, 0.0, 1.0, "GET /")])[1]


def test_what_fits_no_column_is_cut():
    """A status of many digits, an id of many letters."""
    row = Row("", None, 0.0, 1.0, "", status=10**30, request_id="é" * 99)

    [kept] = Table.of([row])

    assert kept.status == 9999
    assert kept.request_id == "?" * 64


def test_sources_are_one_table_in_the_order_of_time():
    """Each row leads to its own source."""
    names = Names()
    held = []
    for source, times in enumerate([(5, 3), (4, 1)]):
        columns = Columns(names)
        columns.add([Row("", None, at, 1.0, f"{at}") for at in times])
        held.append(
            Held(columns, lambda n, source=source: (f"{source}/{n}", None))
        )

    table = Table.of_sources(held, names)

    found = [(row.key, row.title) for row in table]
    assert found == [("0/0", "5"), ("1/0", "4"), ("0/1", "3"), ("1/1", "1")]


def test_columns_grow_and_are_replaced():
    """A view that was taken before has the rows of then."""
    columns = Columns(Names())
    columns.add([Row("", None, 0.0, float(n), "") for n in range(3000)])
    before = columns.view()

    columns.add([Row("", None, 0.0, 7.0, "late")])
    columns.put(np.array([1]), [Row("", None, 0.0, 8.0, "new")])

    assert len(before["duration_ms"]) == 3000
    assert columns.view()["duration_ms"][[0, 1, -1]].tolist() == [0, 8, 7]


def test_names_past_the_most_are_one():
    """A server that runs for months stays bounded."""
    names = Names(most=3)

    assert names.numbers(["a", "b", "c", "a"]) == [2, 1, 1, 2]
    assert names.texts == ["", OTHERS, "a"]
    assert names.known("c") == -1
