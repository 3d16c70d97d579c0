# SPDX-License-Identifier: Apache-2.0
"""Connections to databases: opened and tested too often."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.reading.advice.rules import connections
from nova_profiler.record import GroupTotals, TimelineEntry


def connect(start_ms, lane=0, name="nova_cell1"):
    return TimelineEntry("connect", name, start_ms, 5.0, lane=lane)


def test_a_request_that_connects():
    made = record(groups={"connect": GroupTotals(2, 8.0, 6.0)})

    (finding,) = connections.opened(made)

    assert (finding.saves_ms, finding.times) == (6.0, 2)


def test_a_request_on_kept_connections_is_none():
    made = record(groups={"connect": GroupTotals(0, 0.0, 0.0)})

    assert list(connections.opened(made)) == []
    assert list(connections.opened_again(made)) == []


def test_one_thread_connects_again():
    """The first connection was not kept: all but one are saved."""
    made = record(timeline=[connect(1.0), connect(10.0), connect(20.0)])

    (finding,) = connections.opened_again(made)

    assert (finding.about, finding.times) == ("nova_cell1", 3)
    assert finding.saves_ms == 10.0


def test_threads_and_databases_have_connections_of_their_own():
    made = record(
        timeline=[connect(1.0), connect(1.0, 1), connect(9.0, name="nova_api")]
    )

    assert list(connections.opened_again(made)) == []


@pytest.mark.parametrize(("sql_ms", "found"), [(9.9, 1), (10.1, 0)])
def test_tests_take_half_of_the_drivers_time(sql_ms, found):
    made = record(
        groups={
            "sql": GroupTotals(5, sql_ms, sql_ms),
            "ping": GroupTotals(5, 10.0, 10.0),
        }
    )

    assert len(list(connections.mostly_tested(made))) == found
