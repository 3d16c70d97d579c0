# SPDX-License-Identifier: Apache-2.0
"""Evidence of many requests becomes advice on their route."""

from __future__ import annotations

import pickle

import pytest

from nova_profiler.reading.advice.adding_up import (
    LEAST_SHARE,
    MOST_KEYS,
    Evidence,
    advice_rows,
)
from nova_profiler.reading.advice.findings import Finding
from nova_profiler.reading.advice.rules.table import RULES

REPEATED = "repeated_statement"


def evidence_of(*requests):
    """Return the evidence of requests of 100 ms each."""
    evidence = Evidence()
    for found in requests:
        evidence.add(100.0, found)
    return evidence


def test_what_is_saved_is_a_mean_of_all_requests():
    """Those without the evidence count, too."""
    evidence = evidence_of(
        [(REPEATED, Finding("SELECT t", 40.0, 5, ", by a"))],
        [(REPEATED, Finding("SELECT t", 60.0, 9, ", by b"))],
        [],
        [],
    )

    (row,) = advice_rows(evidence.advice("GET /servers"))

    assert row == {
        "rule": REPEATED,
        "route": "GET /servers",
        "text": "in 2 of 4 requests SELECT t ran 5 to 9 times, by b: one "
        "statement for all saves at most 25.0 ms a request, 25.0 %",
        "saves_at_most_ms": 25.0,
        "share": 0.25,
        "requests": 2,
        "of_requests": 4,
    }


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.of_whole], ids=lambda one: one.name
)
def test_a_part_is_saved_of_all_requests(rule):
    """Also of those in which another is larger: else it is no bound."""
    (part,) = rule.parts
    evidence = Evidence()
    evidence.add(100.0, [(rule.name, Finding("", 70.0))], {part: 70.0})
    evidence.add(100.0, [(rule.name, Finding("", 60.0))], {part: 60.0})
    evidence.add(100.0, [], {part: 40.0, "python": 60.0})
    evidence.add(100.0, [], {"python": 100.0})

    (row,) = advice_rows(evidence.advice())

    assert row["text"].startswith("in 2 of 4 requests ")
    assert row["text"].endswith(" saves at most 42.5 ms a request, 42.5 %")
    assert (row["saves_at_most_ms"], row["share"]) == (42.5, 0.425)


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if rule.is_of_names],
    ids=lambda one: one.name,
)
def test_a_name_is_of_those_whose_largest_part_it_is(rule):
    """What the others waited for it is in no figure, and none is said."""
    (part,) = rule.parts
    found = (rule.name, Finding("name", 60.0))
    evidence = Evidence()
    for findings in ([found], [found], [], []):
        evidence.add(100.0, findings, {part: 60.0 if findings else 40.0})

    (row,) = advice_rows(evidence.advice())[-1:]

    assert row["text"].startswith("in 2 of 4 requests ")
    assert row["text"].endswith(
        " saves at most 60.0 ms a request of these, 30.0 % of the time of all"
    )
    assert row["saves_at_most_ms"] == 30.0


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.name)
@pytest.mark.parametrize("requests", [1, 12])
def test_what_one_request_took_is_marked(rule, requests):
    """Beside means: a time of one of them would read as another mean."""
    finding = Finding("name", 60.0, 9, ", by f", "get 87.5 ms")
    evidence = evidence_of(*[[(rule.name, finding)]] * requests)

    texts = [row["text"] for row in advice_rows(evidence.advice())]

    for text in texts:
        assert ("87.5 ms in one of them" in text) is (
            "87.5" in text and requests > 1
        )


def test_one_request_is_not_counted():
    evidence = evidence_of([(REPEATED, Finding("SELECT t", 40.0, 5))])

    (row,) = advice_rows(evidence.advice())

    assert row["text"] == (
        "SELECT t ran 5 times: one statement for all saves at most 40.0 ms, "
        "40.0 %"
    )
    assert "route" not in row


def test_the_route_that_would_save_most_of_all_time_is_first():
    """Often and a little may be more than once and much."""
    seldom = evidence_of([(REPEATED, Finding("SELECT seldom", 90.0, 5))])
    often = evidence_of(*[[(REPEATED, Finding("SELECT often", 9.0, 5))]] * 20)

    rows = advice_rows([*seldom.advice("GET /a"), *often.advice("GET /b")])

    assert [row["route"] for row in rows] == ["GET /b", "GET /a"]


@pytest.mark.parametrize(("of", "is_advice"), [(9, True), (10, False)])
def test_one_request_among_many_is_no_evidence(of, is_advice):
    """It was slow once, for whatever reason."""
    found = [(REPEATED, Finding("SELECT t", 90.0, 5))]

    evidence = evidence_of(found, *[[]] * (of - 1))

    assert bool(list(evidence.advice())) is is_advice


def test_too_little_is_not_worth_a_sentence():
    too_little = 100 * LEAST_SHARE - 0.1
    evidence = evidence_of([(REPEATED, Finding("SELECT t", too_little, 5))])

    assert list(evidence.advice()) == []


def test_one_thing_that_two_findings_are_about_is_one_request():
    """Otherwise they could save more than the request took."""
    finding = Finding("nova_cell1", 60.0, 2)
    evidence = evidence_of(
        [("reconnected", finding), ("reconnected", finding)]
    )

    (row,) = advice_rows(evidence.advice())

    assert (row["requests"], row["saves_at_most_ms"]) == (1, 60.0)


@pytest.mark.parametrize(
    ("opened", "of", "is_advice"),
    [(10, 10, True), (5, 10, True), (4, 10, False), (9, 9, False)],
)
def test_one_request_that_connects_is_no_evidence(opened, of, is_advice):
    """A worker's first requests always do; half of ten or more is."""
    found = [("no_kept_connections", Finding("", 40.0, 1))]

    evidence = evidence_of(*[found] * opened, *[[]] * (of - opened))

    assert bool(list(evidence.advice())) is is_advice


def test_names_that_clients_make_are_limited():
    """What came first stays."""
    evidence = evidence_of(
        *[[(REPEATED, Finding(f"t{n}", 90.0, 5))] for n in range(1000)]
    )
    assert len(evidence._sums) == MOST_KEYS


def test_evidence_goes_from_process_to_process():
    evidence = evidence_of([(REPEATED, Finding("SELECT t", 40.0, 5))])

    copied = pickle.loads(pickle.dumps(evidence))

    assert list(copied.advice()) == list(evidence.advice())
