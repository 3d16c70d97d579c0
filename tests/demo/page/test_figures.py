# SPDX-License-Identifier: Apache-2.0
"""What the demo adds up from records."""

from __future__ import annotations

import pytest

from demo.page import figures
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord


def _record(route: str, calls: int, nested: int = 0) -> RequestRecord:
    record = RequestRecord()
    record.cpu_ms = 5.0
    record.method, record.route = "GET", route
    record.started_at = f"2026-11-21T10:00:{calls:02}.000000+00:00"
    record.duration_ms = 10.0
    record.breakdown_ms = {"sql": 2.0 * calls, "python": 10.0 - 2.0 * calls}
    record.groups = {"sql": GroupTotals(4, 2.0, 2.0)}
    record.counts = {"config_lookups": 100}
    if calls:
        record.calls = [
            CallTotals("db_api", "get", calls, 4.0, 2.0, nested=nested)
        ]
    return record


def test_routes_come_in_the_order_they_were_first_asked() -> None:
    """The page follows the run."""
    routes = figures.by_route([_record("/b", 2), _record("/a", 1)])

    assert [route.name for route in routes] == ["GET /a", "GET /b"]


def test_the_slowest_request_is_one_of_the_slowest_route() -> None:
    """One of another route may be slower: the command is not about that."""
    odd, one, other = _record("/a", 1), _record("/b", 2), _record("/b", 3)
    quick = [_record("/a", number) for number in range(20, 30)]
    odd.duration_ms, one.duration_ms, other.duration_ms = 90.0, 50.0, 40.0
    records = [odd, one, other, *quick]

    slowest = figures.slowest_of(figures.by_route(records))

    assert slowest.name == "GET /b"
    assert figures.requests_of(slowest, records) == [one, other]


def test_calls_of_each_request_are_the_fewest_and_the_most() -> None:
    """Two figures show whether all requests of a route are alike."""
    (route,) = figures.by_route([_record("/a", 3), _record("/a", 2)])

    assert route.each == {"get": (2, 3)}


def test_a_request_without_the_call_counts_as_none() -> None:
    """The fewest are 0 when one request did not call it at all."""
    (route,) = figures.by_route([_record("/a", 3), _record("/a", 0)])

    assert route.each == {"get": (0, 3)}


def test_nested_calls_are_not_counted() -> None:
    """The calls around them include their count and time."""
    (route,) = figures.by_route([_record("/a", 3, nested=1)])

    assert route.each == {"get": (2, 2)}


def test_a_routes_figures_are_means_of_its_requests() -> None:
    """Buckets, statements and look-ups are those of one request."""
    (route,) = figures.by_route([_record("/a", 1), _record("/a", 3)])

    assert route.mean_breakdown_ms == {"sql": 4.0, "python": 6.0}
    assert (route.statements, route.config_lookups) == (4.0, 100.0)


def test_the_largest_parts_are_those_with_a_name() -> None:
    """A wait for a processor has one; shares are of the whole."""
    record = _record("/a", 1)
    record.breakdown_ms = {
        "waiting": 50.0,
        "python": 20.0,
        "http": 15.0,
        "sql": 10.0,
        "sqlalchemy": 5.0,
    }
    record.unnamed_ms = {"processor": 30.0, "other": 20.0}
    (route,) = figures.by_route([record])

    assert [part[1:] for part in route.largest_named(3)] == [
        ("waiting in line for a processor", 30.0, 0.3),
        ("HTTP to other services", 15.0, 0.15),
        ("driver: statements", 10.0, 0.1),
    ]
    assert sum(part.ms for part in route.parts()) == 100.0


@pytest.mark.parametrize(
    ("cpu_ms", "label"),
    [
        (5.0, "Python, the rest"),
        (None, "running or waiting: no clock can tell"),
    ],
)
def test_greenthreads_have_no_clock(cpu_ms, label) -> None:
    """What is left is not called running there."""
    record = _record("/a", 1)
    record.cpu_ms = cpu_ms
    (route,) = figures.by_route([record])

    assert label in [part.label for part in route.parts()]
