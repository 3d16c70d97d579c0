# SPDX-License-Identifier: Apache-2.0
"""Requests to other services: repeated, in a row, or what is waited for."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.reading.advice.adding_up import advice_on
from nova_profiler.reading.advice.rules import (
    largest_part,
    repeated_requests,
    requests_in_a_row,
)
from nova_profiler.record import CallTotals, TimelineEntry

PORTS = "network GET /v2.0/ports"
PORT = "network GET /v2.0/ports/{id}"
GROUPS = "network GET /v2.0/security-groups"


def http(name, start_ms, ms, **fields):
    return TimelineEntry("http", name, start_ms, ms, **fields)


def asked(*entries, **fields):
    """Return a record of 1000 ms with *entries*, and their totals."""
    names = {entry.name: [] for entry in entries if entry.group == "http"}
    for entry in entries:
        if entry.group == "http":
            names[entry.name].append(entry.ms)
    return record(
        duration_ms=1000.0,
        timeline=list(entries),
        calls=[
            CallTotals("http", name, len(ms), sum(ms), max(ms))
            for name, ms in names.items()
        ],
        breakdown_ms={"http": sum(map(sum, names.values())), "python": 50.0},
        **fields,
    )


def test_the_same_is_asked_twice():
    """One of them stays: at most the longer one is saved."""
    (finding,) = repeated_requests.same(
        asked(http(PORTS, 0, 100), http(PORTS, 200, 30), http(PORT, 300, 9))
    )

    assert (finding.about, finding.times) == (PORTS, 2)
    assert finding.saves_ms == 100.0


def test_each_of_many_is_asked_for():
    """The ids differ: one request for all of them may do."""
    made = asked(*[http(PORT, 100 * n, 50) for n in range(4)])

    (finding,) = repeated_requests.of_one_each(made)

    assert (finding.times, finding.saves_ms) == (4, 150.0)
    assert list(repeated_requests.same(made)) == []


def test_a_request_that_changes_something_is_no_repetition():
    """Neither is a name that stands for many."""
    made = asked(
        *[http("network PUT /v2.0/ports/{id}", 100 * n, 50) for n in range(4)],
        *[http("other", 500 + 100 * n, 50) for n in range(4)],
    )

    assert list(repeated_requests.same(made)) == []
    assert list(repeated_requests.of_one_each(made)) == []


def test_a_log_line_has_totals_alone():
    """Without a timeline the bound is that of the totals."""
    made = asked(http(PORTS, 0, 100), http(PORTS, 200, 30))
    made.timeline = None

    (finding,) = repeated_requests.same(made)

    assert finding.saves_ms == 100.0


def test_one_service_is_asked_in_a_row():
    """At once they take as long as the longest."""
    (finding,) = requests_in_a_row.found(
        asked(http(PORTS, 0, 300), http(GROUPS, 310, 200))
    )

    assert finding.about == (
        "neutron (GET /v2.0/ports, GET /v2.0/security-groups)"
    )
    assert (finding.times, finding.saves_ms) == (2, 200.0)


@pytest.mark.parametrize(
    "entries",
    [
        [http(PORTS, 0, 300), http(GROUPS, 100, 200)],
        [http(PORTS, 0, 300), http(GROUPS, 310, 200, lane=1)],
        [http(PORTS, 0, 300), http(PORTS, 310, 200)],
        [http(PORTS, 0, 300), http("image GET /v2/images/{id}", 310, 200)],
        [
            http(PORTS, 0, 300),
            http("network POST /v2.0/ports", 310, 50),
            http(GROUPS, 400, 200),
        ],
        [http(PORTS, 0, 300), http(GROUPS, 310, 200, parent=7)],
    ],
    ids="overlap lanes same services change callers".split(),
)
def test_what_is_no_row(entries):
    """Side by side, one thing twice, two services, a change between."""
    assert list(requests_in_a_row.found(asked(*entries))) == []


def test_the_service_that_is_waited_for_most():
    """By its project, with its longest request and what made that."""
    made = asked(
        TimelineEntry("db_api", "get_networks", 0, 400, id=0),
        http(PORTS, 10, 300, id=1, parent=0, made_by="nova/net.py:7 ports"),
        http(GROUPS, 410, 200, id=2),
        http("image GET /v2/images/{id}", 700, 100, id=3),
    )

    (finding,) = largest_part.of_a_service(made)

    assert finding.about == "neutron"
    assert finding.longest == f"{PORTS} 300.0 ms"
    assert finding.by == ", by get_networks, from nova/net.py:7 ports"
    assert finding.saves_ms == 500.0


def test_a_service_beside_a_larger_part_is_no_advice():
    made = asked(http(PORTS, 10, 300))
    assert [one["rule"] for one in advice_on(made)] == ["slow_service"]

    made.breakdown_ms["sql"] = 400.0

    assert advice_on(made) == []


def test_requests_side_by_side_save_what_the_request_waited():
    """Their sum exceeds it."""
    made = asked(http(PORTS, 0, 300), http(PORTS, 0, 300, lane=1))
    made.breakdown_ms = {"http": 300.0}

    (finding,) = largest_part.of_a_service(made)

    assert finding.saves_ms == 300.0
