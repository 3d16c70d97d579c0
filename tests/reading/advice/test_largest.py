# SPDX-License-Identifier: Apache-2.0
"""What stands first is about the largest part of the time."""

from __future__ import annotations

import pytest
from builders import numbered

from nova_profiler.groups import BUCKETS, UNNAMED
from nova_profiler.reading.advice.adding_up import (
    Evidence,
    advice_on,
    advice_rows,
)
from nova_profiler.reading.advice.findings import Finding, parts_of
from nova_profiler.reading.advice.largest import (
    largest_part,
    sentence_about,
    words_of_command,
)
from nova_profiler.reading.advice.rules.table import RULES

LITTLE = ("no_kept_connections", Finding("", 3.4, 4))


def rows_of(parts_ms, *found, requests=20, route=""):
    """Return the advice on equal requests of 100 ms."""
    evidence = Evidence()
    for _ in range(requests):
        evidence.add(100.0, found, parts_ms)
    return advice_rows(evidence.advice(route))


def test_a_large_part_without_advice_stands_first():
    """A saving of 3.4 % is no answer where 67 % of the time waits."""
    first, second = rows_of({"unsplit": 67.0, "connect": 3.4}, LITTLE)

    assert (first["rule"], first["share"]) == ("largest_part", 0.67)
    assert first["text"] == (
        "the largest part is waiting, not known which of these: 67.0 ms a "
        "request, 67.0 %; look at how busy the processors of this machine "
        "are; `top` shows where, with profiler = stacks"
    )
    assert second["rule"] == "no_kept_connections"


@pytest.mark.parametrize(
    ("saves_ms", "is_said"), [(34.0, False), (11.0, True)]
)
def test_advice_on_half_of_the_largest_part_is_advice_on_it(saves_ms, is_said):
    """With less, the rest of the part is larger than what it saves."""
    found = ("contended_lock", Finding("a", saves_ms))

    rows = rows_of({"lock": 67.0, "sql": 33.0}, found)

    assert [row["rule"] for row in rows] == [
        *["largest_part"] * is_said,
        "contended_lock",
    ]


def test_advice_that_saves_more_than_the_part_stands_first():
    """One statement for all takes away the wrapper's time, too."""
    found = ("repeated_statement", Finding("SELECT t", 50.0, 9))

    rows = rows_of({"python": 40.0, "sql": 35.0, "sqlalchemy": 25.0}, found)

    assert [row["rule"] for row in rows] == ["repeated_statement"]


def test_routes_have_one_such_sentence_together():
    """Three of them would leave no room for advice."""
    evidence = Evidence()
    for _ in range(20):
        evidence.add(100.0, [LITTLE], {"sql": 60.0})

    rows = advice_rows(
        [*evidence.advice("GET /a"), *evidence.advice("GET /b")]
    )

    assert [row["rule"] for row in rows] == [
        "largest_part",
        "no_kept_connections",
        "no_kept_connections",
    ]


def test_the_parts_of_all_requests_count():
    """Not what is the largest in most of them."""
    evidence = Evidence()
    for ms in (10.0, 10.0, 90.0):
        evidence.add(100.0, (), {"python": 20.0, "sql": ms})

    (row,) = advice_rows(evidence.advice())

    assert "driver: statements: 36.7 ms a request" in row["text"]


def test_one_request_has_it_only_above_advice():
    """Its page begins with the parts."""
    record = numbered(1, duration_ms=100.0, breakdown_ms={"python": 100.0})

    assert advice_on(record) == []


@pytest.mark.parametrize(
    "part", [*BUCKETS, *UNNAMED], ids=lambda one: one.name
)
def test_each_part_has_something_to_look_at(part):
    """A new group has its calls without a line here."""
    assert largest_part({part.name: 1.0}) == part.name
    text = sentence_about(part.name, 1.0, 0.5, "")

    assert part.label in text
    assert words_of_command(part.name, from_dumps=True) in text
    assert "`" in text or "look at " in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_about_parts_that_there_are(rule):
    parts = {one.name for one in (*BUCKETS, *UNNAMED)}
    assert rule.parts
    assert set(rule.parts) <= parts


def test_what_is_known_of_the_waiting_stands_in_its_place():
    record = numbered(
        1,
        breakdown_ms={"waiting": 50.0, "python": 50.0},
        unnamed_ms={"processor": 30.0, "other": 20.0},
    )

    assert largest_part(parts_of(record)) == "python"
