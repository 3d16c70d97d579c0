# SPDX-License-Identifier: Apache-2.0
"""Which call made which, as a request's page shows it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nova_profiler.reading.requests.one_request.call_tree import (
    MOST_LINES,
    Senders,
    call_tree,
    longest_branches,
    tree_parts,
)
from nova_profiler.reading.requests.one_request.view import View
from nova_profiler.record import RequestRecord, StatementTotals, TimelineEntry


def record_of(*entries, statements=1):
    record = RequestRecord()
    record.timeline = list(entries)
    record.statements = [
        StatementTotals("SELECT a FROM t", "SELECT t", "nova", 3, 9.0, 5.0)
        for _ in range(statements)
    ]
    return record


def entry(place, group, name, start_ms, ms, parent=None, **fields):
    return TimelineEntry(
        group, name, start_ms, ms, id=place, parent=parent, **fields
    )


TWO_WAYS = record_of(
    entry(0, "db_api", "get_all", 0.0, 50.0),
    entry(1, "db_api", "get", 1.0, 20.0, 0, nested=True),
    entry(2, "sql", "SELECT t", 2.0, 10.0, 1, statement=0),
    entry(3, "sql", "SELECT t", 22.0, 5.0, 0, statement=0),
    entry(4, "fetch", "SELECT t", 28.0, 2.0, 0, statement=0),
    entry(5, "sql", "SELECT t", 60.0, 7.0, statement=0),
)


def printed(record, full=False):
    console = Console(width=80, file=io.StringIO())
    for part in tree_parts(record, View(80, full)):
        console.print(part)
    return console.file.getvalue()


def test_calls_of_one_way_are_added_up():
    """By the names around them: the same statement stands in each way."""
    branches = longest_branches(call_tree(TWO_WAYS))

    assert [(one.depth, one.name, one.count, one.ms) for one in branches] == [
        (1, "get_all", 1, 50.0),
        (2, "get", 1, 20.0),
        (3, "SELECT t", 1, 10.0),
        (2, "SELECT t", 1, 5.0),
        (2, "fetch SELECT t", 1, 2.0),
        (1, "SELECT t", 1, 7.0),
    ]
    assert [one.own_ms for one in branches[:2]] == [23.0, 10.0]


def test_the_innermost_function_sent_a_statement():
    """Rows that are fetched are no statement of their own."""
    (row,) = TWO_WAYS.statements

    assert Senders(TWO_WAYS).of(row).plain == "\nby get (1), get_all (1)"


def test_one_function_that_sent_all_has_no_number():
    record = record_of(
        entry(0, "db_api", "get", 0.0, 50.0),
        *[
            entry(n, "sql", "SELECT t", n, 0.5, 0, statement=0)
            for n in (1, 2, 3)
        ],
    )

    assert Senders(record).of(record.statements[0]).plain == "\nby get"


def test_a_dump_of_an_older_release_has_no_tree():
    record = record_of(TimelineEntry("sql", "SELECT t", 0.0, 1.0, statement=0))

    assert tree_parts(record, View(80, False)) == []
    assert Senders(record).of(record.statements[0]).plain == ""


def test_the_longest_stand_and_the_rest_are_counted():
    record = record_of(
        entry(0, "db_api", "outer", 0.0, 1000.0),
        *[
            entry(n, "db_api", f"inner_{n}", n, float(n), 0)
            for n in range(1, 31)
        ],
    )

    shown = printed(record)

    assert "inner_30" in shown
    assert "inner_1 " not in shown
    assert f"and {31 - MOST_LINES} lines of less time" in shown


NUMBER = st.one_of(st.integers(-3, 9), st.floats(-3, 9), st.none())


@given(
    st.lists(
        st.builds(
            TimelineEntry,
            st.sampled_from(["sql", "db_api", "\x1b[2J", ""]),
            st.sampled_from(["a", "b", "\n"]),
            st.floats(-9, 9),
            st.floats(-9, 9),
            statement=st.one_of(st.none(), st.integers(-2, 3)),
            id=NUMBER,
            parent=NUMBER,
        ),
        max_size=20,
    )
)
def test_damaged_parents_end_somewhere(entries):
    """Rings, ids that are twice there or nowhere: a page all the same."""
    record = record_of(*entries, statements=2)
    senders = Senders(record)

    assert "\x1b" not in printed(record)
    for row in record.statements:
        assert "\x1b" not in senders.of(row).plain


@pytest.mark.parametrize("depth", [10, 5_000])
def test_any_depth_is_shown(depth):
    """A page is no place for an error of Python's own."""
    record = record_of(
        *[
            entry(n, "db_api", f"n{n}", float(n), 9.0, n - 1 if n else None)
            for n in range(depth)
        ]
    )

    assert "n0" in printed(record)
