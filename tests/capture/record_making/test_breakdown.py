# SPDX-License-Identifier: Apache-2.0
"""The breakdown: every moment in one bucket, and all of them the whole."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.record_making.breakdown import (
    LaneSums,
    Span,
    any_begins_in,
    covered_s,
    innermost,
    of_many_lanes,
    of_one_lane,
)
from nova_profiler.groups import BY_NAME, DB_API, DRIVER_GROUPS

GROUPS = tuple(BY_NAME)
# Whole microseconds up to 100 s: what the clocks tell.
MOMENTS = st.integers(0, 10**8).map(lambda us: us / 1e6)
SPANS = st.lists(
    st.builds(
        lambda group, *ends: Span(group, min(ends), max(ends)),
        st.sampled_from(GROUPS),
        MOMENTS,
        MOMENTS,
    ),
    max_size=30,
)  # fmt: skip


@given(MOMENTS, SPANS, st.lists(SPANS, max_size=4), MOMENTS, MOMENTS)
def test_many_lanes_add_up(duration_s, main, others, waiting_db, waiting_py):
    """Whatever ran side by side, also past the end: the parts are it all."""
    buckets = of_many_lanes(duration_s, main, others, waiting_db, waiting_py)

    assert sum(buckets.values()) == pytest.approx(duration_s, abs=1e-6)
    assert min(buckets.values()) >= 0.0


DATABASE = (*DRIVER_GROUPS, DB_API.name)
SUMS = st.builds(
    LaneSums,
    st.dictionaries(st.sampled_from(DATABASE), MOMENTS),
    st.dictionaries(st.sampled_from([*{*GROUPS} - {*DATABASE}]), MOMENTS),
    *[MOMENTS] * 4,
)


@given(MOMENTS, SUMS)
def test_one_lane_adds_up(duration_s, sums):
    """Even figures that cannot all be true add up to the whole."""
    buckets = of_one_lane(duration_s, sums)

    assert sum(buckets.values()) == pytest.approx(duration_s, abs=1e-6)
    assert min(buckets.values()) >= 0.0


@given(MOMENTS, SPANS)
def test_both_ways_agree_on_one_thread(duration_s, spans):
    """Calls one after the other: the sums and the sweep are the same."""
    spans = one_after_the_other(spans, duration_s)
    sums = LaneSums({}, {})
    for group, start, end in spans:
        seconds = sums.by_group_s if group in DATABASE else sums.others_s
        seconds[group] = seconds.get(group, 0.0) + end - start

    swept = of_many_lanes(duration_s, spans, (), 0.0, 0.0)
    summed = of_one_lane(duration_s, sums)

    for bucket in {*swept, *summed}:
        assert swept.get(bucket, 0.0) == pytest.approx(
            summed.get(bucket, 0.0), abs=1e-6
        )


@given(SPANS)
def test_pieces_cover_what_the_calls_cover_and_never_overlap(spans):
    """Also where clocks say that calls lie across each other."""
    pieces = innermost(spans)

    assert covered_s([span[1:] for span in spans]) == pytest.approx(
        sum(end - start for _, start, end in pieces), abs=1e-6
    )
    for earlier, later in itertools.pairwise(pieces):
        assert earlier.end <= later.start


def test_the_innermost_call_has_the_moment():
    """Whatever its group: what is inside is what the time went to."""
    pieces = innermost(
        [
            Span("timed", 0, 10),
            Span("db_api", 1, 8),
            Span("timed", 2, 6),
            Span("sql", 3, 4),
            Span("sql", 9, 10),
        ]
    )

    assert pieces == [
        Span("timed", 0, 1),
        Span("db_api", 1, 2),
        Span("timed", 2, 3),
        Span("sql", 3, 4),
        Span("timed", 4, 6),
        Span("db_api", 6, 8),
        Span("timed", 8, 9),
        Span("sql", 9, 10),
    ]


def one_after_the_other(spans, duration_s):
    """Return *spans* within the duration, none over another."""
    kept = []
    reach = 0.0
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(span.start, reach), min(span.end, duration_s)
        if end > start:
            kept.append(Span(span.group, start, end))
            reach = end
    return kept


@given(st.lists(st.tuples(MOMENTS, MOMENTS).map(sorted).map(tuple)))
def test_cover_is_between_the_longest_and_the_sum(spans):
    """Each moment counts once, however many calls share it."""
    lengths = [end - start for start, end in spans]

    covered = covered_s(spans)

    assert max(lengths, default=0.0) - 1e-6 <= covered <= sum(lengths) + 1e-6


def test_cover_of_known_spans():
    """Overlapping, contained, touching, apart."""
    assert covered_s([]) == 0.0
    assert covered_s([(0, 2), (1, 3)]) == 3
    assert covered_s([(0, 9), (1, 3)]) == 9
    assert covered_s([(0, 1), (1, 2)]) == 2
    assert covered_s([(5, 6), (0, 1)]) == 2


def test_one_thread():
    """Driver, the rest of DB API functions, waiting, and Python."""
    buckets = of_one_lane(
        10.0,
        LaneSums(
            {"sql": 3.0, "fetch": 1.0, "db_api": 5.0}, {}, 3.5, 0.0, 0.5, 2.0
        ),
    )

    assert buckets == {
        "sql": 3.0,
        "fetch": 1.0,
        "sqlalchemy": 1.0,
        "waiting": 2.5,
        "python": 2.5,
    }


def test_a_moment_of_several_lanes_goes_to_the_driver_first():
    """What the request truly waits for wins."""
    buckets = of_many_lanes(
        10.0,
        [],
        [[Span("db_api", 0, 6), Span("sql", 2, 4)], [Span("sql", 3, 5)]],
        0.0,
        0.0,
    )

    assert buckets == {"sql": 3.0, "sqlalchemy": 3.0, "python": 4.0}


def test_the_own_lane_wins_over_the_others():
    """While the request itself does something, that is where time goes."""
    buckets = of_many_lanes(
        4.0, [Span("db_api", 0, 4)], [[Span("sql", 1, 3)]], 0.0, 0.0
    )

    assert buckets == {"sqlalchemy": 4.0, "python": 0.0}


def test_waiting_for_ones_own_lanes_is_not_waiting():
    """The other lanes' work is what the request waited for."""
    buckets = of_many_lanes(5.0, [], [[Span("sql", 1, 4)]], 0.0, 4.0)

    assert buckets == {"sql": 3.0, "python": 1.0, "waiting": 1.0}


def test_a_timed_function_has_what_nothing_inside_it_claims():
    """The innermost call has the moment."""
    buckets = of_many_lanes(
        9.0,
        [Span("timed", 1, 8), Span("db_api", 2, 6), Span("sql", 3, 4)],
        (),
        0.0,
        0.0,
    )

    assert buckets == {
        "timed": 3.0,
        "sqlalchemy": 3.0,
        "sql": 1.0,
        "python": 2.0,
    }


_PAIRS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), max_size=6
)


@given(_PAIRS, _PAIRS)
def test_what_begins_inside_is_found(spans, others):
    """At a border it is not inside; before an end it is."""
    expected = any(
        start <= at < end for at, _ in others for start, end in spans
    )

    assert any_begins_in(spans, others) == expected
