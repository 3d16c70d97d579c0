# SPDX-License-Identifier: Apache-2.0
"""Cells are asked side by side, and one of them is late."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.reading.advice.rules.slowest_cell import found
from nova_profiler.record import StatementTotals, TimelineEntry


def cells(*spans):
    """Return a record of 500 ms that asked (database, start, ms) each."""
    return record(
        duration_ms=500.0,
        statements=[
            StatementTotals("SELECT a FROM t", "SELECT t", database, 1, ms, ms)
            for database, _, ms in spans
        ],
        timeline=[
            TimelineEntry(
                "sql", "SELECT t", start, ms, lane=number + 1, statement=number
            )
            for number, (_, start, ms) in enumerate(spans)
        ],
    )


def test_one_cell_holds_the_others_up():
    """From when the last of the others was done."""
    (finding,) = found(
        cells(("cell1", 10, 40), ("cell2", 10, 300), ("cell3", 10, 50))
    )

    assert (finding.about, finding.saves_ms) == ("cell2", 250.0)


def test_each_round_counts():
    (finding,) = found(
        cells(
            ("cell1", 0, 20),
            ("cell2", 0, 100),
            ("cell1", 200, 20),
            ("cell2", 200, 100),
        )
    )

    assert finding.saves_ms == 160.0


@pytest.mark.parametrize(
    "spans",
    [
        [("cell1", 0, 300)],
        [("nova_cell0.sqlite", 0, 5), ("cell1", 0, 300)],
        [("cell1", 0, 200), ("cell2", 0, 300)],
        [("cell1", 0, 10), ("cell1", 0, 300)],
        [("cell1", 0, 10), ("cell2", 20, 300)],
    ],
    ids="alone cell0 close one later".split(),
)
def test_what_holds_nothing_up(spans):
    """cell0 has no servers; a cell asked later was not waited for."""
    assert list(found(cells(*spans))) == []
