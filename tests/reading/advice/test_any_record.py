# SPDX-License-Identifier: Apache-2.0
"""What holds of the advice on any record, however damaged it is."""

from __future__ import annotations

import json

import pytest
from builders import numbered
from hypothesis import example, given
from hypothesis import strategies as st
from odd_records import odd_records

from nova_profiler.reading.advice.adding_up import Evidence, advice_on
from nova_profiler.reading.advice.page import advice_parts
from nova_profiler.reading.advice.rules.table import RULES, findings_of
from nova_profiler.record import CallTotals, GroupTotals, RequestRecord


@given(odd_records())
def test_nothing_saves_more_than_the_request_took(record):
    """And nothing is raised, whatever the parts of the record are."""
    whole_ms = max(0.0, record.duration_ms)

    for _, finding in findings_of(record):
        assert 0.0 < finding.saves_ms <= whole_ms
    advice = advice_on(record)

    saves = [one["saves_at_most_ms"] for one in advice]
    assert saves == sorted(saves, reverse=True)
    assert all(0 <= one["share"] <= 1 for one in advice)
    assert all(one["saves_at_most_ms"] <= whole_ms + 0.001 for one in advice)
    json.dumps(advice, allow_nan=False)
    assert not any("\x1b" in part.plain for part in advice_parts(advice))


@given(st.lists(odd_records(), max_size=12), st.integers(0, 12))
def test_parts_of_a_log_add_up_to_the_same(records, cut):
    """However many processes read it."""
    whole, first, second = Evidence(), Evidence(), Evidence()
    for number, record in enumerate(records):
        whole.add_record(record)
        (first if number < cut else second).add_record(record)

    first.merge(second)

    expected = [one._asdict() for one in whole.advice()]
    assert [one._asdict() for one in first.advice()] == [
        pytest.approx(one) for one in expected
    ]


@given(
    st.floats(0.01, 1000),
    st.lists(st.sampled_from(["python", "waiting", "sqlalchemy", "sql"])),
)
@example(100.0, [])
def test_a_request_without_evidence_has_no_advice(duration_ms, buckets):
    """Work, and waiting that has no name, is no evidence."""
    record = RequestRecord()
    record.duration_ms = duration_ms
    record.breakdown_ms = dict.fromkeys(buckets, duration_ms)
    record.groups = {"sql": GroupTotals(3, duration_ms, duration_ms)}
    record.calls = [CallTotals("sql", "SELECT t", 3, duration_ms, 1.0)]
    record.statements = []
    record.timeline = []

    assert advice_on(record) == []


def test_a_quick_request_of_nova_has_none():
    """Most requests are of this kind."""
    assert advice_on(numbered(1)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_sentence_is_whole(rule):
    """Its fields are those of a finding, and "saves" can follow."""
    text = rule.sentence.format(about="x", times="5", by=", by f", longest="")

    assert "{" not in text
    assert ": " in text
    assert rule.name.isidentifier()


def test_rules_have_names_of_their_own():
    assert len({rule.name for rule in RULES}) == len(RULES)
