# SPDX-License-Identifier: Apache-2.0
"""DB API functions of many requests, added up for each route."""

from __future__ import annotations

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.requests.calls_by_route import (
    calls_by_route,
    figures_of,
    percentile,
)
from nova_profiler.record import KILLED, CallTotals


def test_routes_are_apart_and_the_most_expensive_first():
    """Method, route and action make a row of their own each."""
    other_action = slow_rebuild()
    other_action.action = "reboot"
    records = [parallel_detail()] * 2 + [slow_rebuild(), other_action]

    routes = calls_by_route([*records, record()], "db_api")

    assert [(one.route, one.action, one.requests) for one in routes] == [
        ("/v2.1/servers/detail", None, 2),
        ("/v2.1/servers/{id}/action", "rebuild", 1),
        ("/v2.1/servers/{id}/action", "reboot", 1),
        ("/v2.1/servers", None, 1),
    ]


def test_killed_requests_lower_no_mean():
    """What they called is not known."""
    killed = record()
    killed.outcome = KILLED

    (route,) = calls_by_route([record(), killed], "db_api")

    assert route.requests == 1


def test_the_table_of_the_first_experiment():
    """3 calls and 1 call a request over 300 requests: 900, 300 and 1200."""
    one = record(
        calls=[
            CallTotals("db_api", "by_filters", 3, 100.7, 40.0, driver_ms=5.3),
            CallTotals("db_api", "fault_get", 1, 3.8, 3.8, driver_ms=1.0),
            CallTotals("sql", "SELECT instances", 8, 6.3, 2.0),
        ]
    )

    (route,) = calls_by_route([one] * 300, "db_api")
    figures = figures_of(route)

    assert [
        (row["name"], row["calls"], row["calls_per_request"], row["ms"])
        for row in figures["functions"]
    ] == [("by_filters", 900, 3.0, 30210.0), ("fault_get", 300, 1.0, 1140.0)]
    assert figures["totals"]["calls"] == 1200
    assert figures["totals"]["driver_share"] == pytest.approx(
        6.3 / 104.5, abs=1e-4
    )
    assert figures["duration_ms"]["p95"] == 42.5


def test_nested_calls_are_in_no_figure():
    """8 calls of which 2 ran inside others are 6."""
    (route,) = calls_by_route([slow_rebuild()], "db_api")

    assert route.functions["instance_get_by_uuid"].calls == 6
    assert route.totals.calls == 15


def test_percentiles_count_requests_without_the_call():
    """One request of a hundred does not make a median."""
    called = record(calls=[CallTotals("db_api", "rare", 1, 50.0, 50.0)])

    (route,) = calls_by_route([called] + [record()] * 99, "db_api")

    row = route.functions["rare"]
    assert route.percentile_ms(row, 50) == 0.0
    assert route.percentile_ms(row, 100) == 50.0


def test_an_unknown_driver_time_is_no_share():
    """Without the SQL hook there is no figure of the driver."""
    one = record(calls=[CallTotals("db_api", "f", 1, 5.0, 5.0)])

    (route,) = calls_by_route([one], "db_api")

    assert route.totals.driver_share is None
    assert figures_of(route)["functions"][0]["driver_share"] is None


@given(st.lists(st.floats(0, 1e9), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_occurred(values, percent):
    """At least that part of all values does not exceed it."""
    found = percentile(sorted(values), percent)

    assert found in values
    assert sum(one <= found for one in values) * 100 >= percent * len(values)


def test_a_percentile_of_nothing_is_zero():
    """A route without values does not fail."""
    assert percentile([], 50) == 0.0
