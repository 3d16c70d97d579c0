# SPDX-License-Identifier: Apache-2.0
"""How far clocks differ, by what went between their hosts."""

from __future__ import annotations

import math
import random

import pytest
from created_servers import created
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.over_services.picture import CONTRADICTS, picture_of
from nova_profiler.reading.over_services.relations.clocks import clocks_of
from nova_profiler.reading.over_services.relations.links import Link
from nova_profiler.reading.over_services.relations.served import (
    CALL,
    Sent,
    Served,
    served_of,
)

CALLER = Served(host="one", began=100.0, duration_s=50.0)


def called(
    ahead: float, there: float, back: float, sent: float = 110.0
) -> tuple[Served, Link]:
    """Return a message to the host two, whose clock is *ahead*, and its link.

    *there* and *back* are what the message and its answer took.
    """
    arrived = sent + there
    one = Served(
        kind="message", host="two", sent=sent, began=arrived + ahead,
        duration_s=1.0,
    )  # fmt: skip
    call = Sent(CALL, "x y", sent, arrived + 1.0 + back)
    return one, Link(0, "id", call, waits=True)


def cast(ahead: float, there: float) -> tuple[Served, Link]:
    one, link = called(ahead, there, 0.0)
    return one, link._replace(waits=False)


def clocks(*pairs: tuple[Served, Link]):
    served, links = zip(*pairs, strict=True)
    return clocks_of([CALLER, *served], [None, *links], "one")


def test_a_call_and_its_answer_give_the_difference_as_ntp_has_it():
    """The middle of both ways, and half of what they took as its bounds."""
    (clock,) = clocks(called(0.5, 0.010, 0.006)).clocks

    assert clock.offset_s == pytest.approx(0.502, abs=0.001)
    assert clock.least_s <= 0.5 <= clock.most_s
    assert clock.most_s - clock.least_s == pytest.approx(0.016, abs=0.002)


def test_many_calls_are_narrower_than_one():
    """The quickest way there and the quickest way back bound it."""
    (clock,) = clocks(
        called(-2.0, 0.3, 0.001), called(-2.0, 0.001, 0.3)
    ).clocks

    assert clock.most_s - clock.least_s < 0.004
    assert clock.offset_s == pytest.approx(-2.0, abs=0.002)


def test_one_way_is_a_lower_bound():
    """It arrived before it was sent: the clock is that far behind or more."""
    (clock,) = clocks(cast(-0.3, 0.02)).clocks

    assert clock.offset_s == pytest.approx(-0.28)
    assert clock.least_s == -math.inf


def test_a_difference_that_nothing_shows_is_none():
    """Time on the broker is not taken for a clock that is ahead."""
    (clock,) = clocks(cast(0.0, 5.0)).clocks

    assert clock.offset_s == 0.0


def test_what_contradicts_all_others_is_marked():
    """A clock that was set meanwhile: the others decide, one is marked."""
    found = clocks(
        called(0.5, 0.01, 0.01),
        called(0.5, 0.02, 0.01),
        called(-90.0, 0.01, 0.01),
    )

    assert found.clocks[0].offset_s == pytest.approx(0.5, abs=0.01)
    assert found.contradicting == {3}


def test_an_answer_that_came_before_it_was_given_is_marked():
    """Its two bounds exclude each other."""
    found = clocks(called(0.5, 0.01, 0.01), called(0.5, -3.0, -3.0))

    assert found.clocks[0].offset_s == pytest.approx(0.5, abs=0.01)
    assert found.contradicting == {2}


def test_hosts_without_a_link_are_named():
    """Their clocks may be anything."""
    found = clocks_of(
        [CALLER, Served(host="two", began=1.0)], [None, None], "one"
    )

    assert (found.unknown, found.ahead_s) == (["two"], {"one": 0.0})


def test_clocks_are_told_apart_over_several_hosts():
    """What one is ahead of the first adds up on the way."""
    one = created()

    picture = picture_of(
        one.request_id, [served_of(record) for record in one.records]
    )

    ahead = picture.clocks.ahead_s
    assert ahead["compute-7"] - ahead["controller-2"] == pytest.approx(
        0.275, abs=0.01
    )
    assert not picture.doubts


@pytest.mark.parametrize("hour", ["T09:", "T11:"])
def test_a_step_of_a_clock_is_drawn_and_marked(hour):
    """The conductor's clock was set by an hour within the request."""
    one = created(saves=4)
    late = one.records[-1]
    late.started_at = late.started_at.replace("T10:", hour)

    picture = picture_of(
        one.request_id, [served_of(record) for record in one.records]
    )

    assert picture.doubts == {len(one.records) - 1: CONTRADICTS}
    assert picture.end == pytest.approx(7.0, abs=0.02)
    assert picture.begin == pytest.approx(0.0, abs=0.02)


@given(
    st.floats(-1e9, 1e9),
    st.lists(
        st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8
    ),
)
def test_the_true_difference_is_within_the_bounds(ahead, ways):
    """Whatever the ways took, none of them less than no time."""
    (clock,) = clocks(
        *(called(ahead, there, back) for there, back in ways)
    ).clocks

    assert clock.least_s - 1e-6 <= ahead <= clock.most_s + 1e-6
    assert clock.contradicting == 0


def test_random_clocks_are_found():
    """Over a hundred creates, to a few milliseconds by their saves."""
    chance = random.Random(7)
    for number in range(100):
        skews = {"compute-7": chance.uniform(-1e6, 1e6)}

        one = created(number, skews=skews)

        picture = picture_of(
            one.request_id, [served_of(record) for record in one.records]
        )
        ahead = picture.clocks.ahead_s["compute-7"]
        assert ahead == pytest.approx(skews["compute-7"] / 1000, abs=0.01)


def test_one_clock_is_not_contradicted_by_a_record_that_ends_late():
    """A busy service is held up after it has answered; its caller is not."""
    one, link = called(0.0, 0.001, -0.2)

    found = clocks((one._replace(host="one"), link))

    assert found.contradicting == frozenset()
    assert found.clocks == []
