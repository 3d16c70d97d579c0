# SPDX-License-Identifier: Apache-2.0
"""One statement, again and again: what sent it, what one would save."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.reading.advice.rules.repeated_statements import (
    found,
    repeated_statements,
)
from nova_profiler.record import StatementTotals, TimelineEntry


def statement(text: str, name: str = "SELECT t", count=1, many=0):
    return StatementTotals(text, name, "nova", count, 1.0, 1.0, 0, 0, many)


def test_a_statement_is_repeated_from_five_on():
    """An executemany is one for many rows; BEGIN reads none at all."""
    rows = repeated_statements(
        record(
            statements=[
                statement("a", count=4),
                statement("b", count=5),
                statement("c", count=9),
                statement("d", count=9, many=9),
                statement("BEGIN", "BEGIN", count=9),
            ]
        )
    )

    assert [one.statement for one in rows] == ["c", "b"]


def test_calls_that_send_it_once_each_go_away_with_it():
    """Five calls of 8 ms with a statement of 2 ms each; one stays."""
    timeline = []
    for n in range(5):
        at = 10.0 * n
        timeline += [
            TimelineEntry("db_api", "get", at, 8.0, id=2 * n),
            TimelineEntry(
                "sql", "SELECT t", at + 1, 2.0, statement=0, id=2 * n + 1,
                parent=2 * n,
            ),
        ]  # fmt: skip

    (finding,) = found(
        record(
            duration_ms=100.0,
            statements=[statement("a", count=5)],
            timeline=timeline,
        )
    )

    assert finding.about == "SELECT t"
    assert finding.saves_ms == pytest.approx(32.0)
    assert (finding.times, finding.by) == (5, ", by get")


def test_a_call_that_sends_it_often_stays():
    """Only the statements and the reading of their rows go away."""
    timeline = [TimelineEntry("db_api", "get_all", 0.0, 90.0, id=0)]
    for n in range(5):
        at = 10.0 * n
        timeline += [
            TimelineEntry("sql", "SELECT t", at, 2.0, statement=0, parent=0),
            TimelineEntry(
                "fetch", "SELECT t", at + 3, 1.0, statement=0, parent=0
            ),
        ]

    (finding,) = found(
        record(
            duration_ms=100.0,
            statements=[statement("a", count=5)],
            timeline=timeline,
        )
    )

    assert finding.saves_ms == pytest.approx(13.0)


def test_two_statements_of_the_same_calls_are_one_finding():
    """What is saved is the same time."""
    timeline = []
    for n in range(6):
        at = 10.0 * n
        timeline.append(TimelineEntry("db_api", "get", at, 8.0, id=3 * n))
        for place in (0, 1):
            timeline.append(
                TimelineEntry(
                    "sql", "SELECT t", at + 2 * place, 1.0, statement=place,
                    id=3 * n + place + 1, parent=3 * n,
                )
            )  # fmt: skip

    findings = list(
        found(
            record(
                duration_ms=100.0,
                statements=[statement("a", count=6), statement("b", count=6)],
                timeline=timeline,
            )
        )
    )

    assert len(findings) == 1


def test_a_timeline_with_gaps_leaves_the_totals():
    """Calls beyond max_calls are in the totals alone."""
    row = StatementTotals("a", "SELECT t", "nova", 1000, 50.0, 0.04)

    (finding,) = found(record(statements=[row], timeline=[]))

    assert finding.saves_ms == pytest.approx(39.96)


def test_what_ran_side_by_side_counts_once():
    """Five lanes at the same time: one of them took as long."""
    timeline = [
        TimelineEntry("sql", "SELECT t", 0.0, 9.0, lane=n, statement=0)
        for n in range(5)
    ]

    (finding,) = found(
        record(statements=[statement("a", count=5)], timeline=timeline)
    )

    assert finding.saves_ms == 0.0
