# SPDX-License-Identifier: Apache-2.0
"""What a moment had to wait for: back over whatever ended last."""

from __future__ import annotations

import pytest
from created_servers import created, rebuilt
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.relations.critical_path import (
    IN_LINE,
    ON_THE_WAY,
    WORK,
    answered_of,
    critical_path,
)
from nova_profiler.reading.over_services.relations.links import Link
from nova_profiler.reading.over_services.relations.moments import Moments
from nova_profiler.reading.over_services.relations.served import served_of


def at_work(begin: float, end: float) -> Moments:
    return Moments(begin, begin, begin, end, begin, end)


def asked(called: float, arrived: float, began: float, ended: float, answered):
    """Return the moments of what another record waited for."""
    return Moments(called, arrived, began, ended, called, answered)


CALLED = Link(0, "id", None, waits=True)
CAST = Link(0, "id", None, waits=False)


def path(place, until, links, moments):
    found = critical_path(
        place, until, links, moments, answered_of(links, moments)
    )
    return [(one.start, one.end, one.what, one.place) for one in found]


def test_the_way_goes_through_what_was_waited_for():
    """To it, in line for a worker, its work, and back."""
    moments = [at_work(0, 10), asked(2, 3, 4, 7, 8)]

    assert path(0, 10, [None, CALLED], moments) == [
        (0, 2, WORK, 0),
        (2, 3, ON_THE_WAY, 1),
        (3, 4, IN_LINE, 1),
        (4, 7, WORK, 1),
        (7, 8, ON_THE_WAY, 1),
        (8, 10, WORK, 0),
    ]


def test_of_two_at_once_the_one_that_ended_last_counts():
    """The other one could have been quicker, and nothing else with it."""
    moments = [
        at_work(0, 10),
        asked(1, 1, 1, 5, 5),
        asked(2, 2, 2, 9, 9),
    ]

    assert path(0, 10, [None, CALLED, CALLED], moments) == [
        (0, 2, WORK, 0),
        (2, 9, WORK, 2),
        (9, 10, WORK, 0),
    ]


def test_what_was_cast_is_no_part_of_the_answer():
    """It goes on after it, on a way of its own."""
    moments = [at_work(0, 3), asked(2, 4, 5, 9, 9)]

    assert path(0, 3, [None, CAST], moments) == [(0, 3, WORK, 0)]
    assert path(1, 9, [None, CAST], moments) == [
        (0, 2, WORK, 0),
        (2, 4, ON_THE_WAY, 1),
        (4, 5, IN_LINE, 1),
        (5, 9, WORK, 1),
    ]


def test_a_chain_of_ten_thousand_calls_needs_no_recursion():
    """Each waits for the next one."""
    count = 10_000
    moments = [
        asked(n, n, n, 3 * count - n, 3 * count - n) for n in range(count)
    ]
    links = [
        None,
        *(Link(n, "id", None, waits=True) for n in range(count - 1)),
    ]

    found = path(0, 3 * count, links, moments)

    assert len(found) == 2 * count - 1
    assert found[count - 1][3] == count - 1


def test_the_answer_of_the_post():
    """All of it is nova-api's: the cast goes on by itself."""
    one = rebuilt()

    picture = picture_of(
        one.request_id, [served_of(record) for record in one.records]
    )

    (share,) = picture.until_answer.shares
    assert (share.holder, share.share) == ("nova-api", 1.0)
    assert picture.until_done.seconds == pytest.approx(3.16)


def test_the_shares_of_a_create():
    """By hand: to the answer nova-api; to the end the wait for the port."""
    one = created(skews={}, saves=0)

    picture = picture_of(
        one.request_id, [served_of(record) for record in one.records]
    )

    shares = {s.holder: s.seconds for s in picture.until_done.shares}
    assert shares == pytest.approx(
        {
            # Until it casts.
            "nova-api": 0.600,
            # 600 to 603, 650.5 (the call: 650) to 652, 998 to 1000, 1050.2 to
            # 1052.
            "broker": 0.003 + 0.002 + 0.002 + 0.0018,
            "in line for nova-conductor": 0.005,
            # 608 to 650, and 1000 to the cast at 1050.2.
            "nova-conductor": 0.042 + 0.0502,
            "in line for nova-scheduler": 0.010,
            "nova-scheduler": (0.998 - 0.662) - 0.150,
            "network": 0.004,
            "placement": 0.146,
            "in line for nova-compute": 0.003 + 0.100,
            # 1055 to the task at 1058, and the task.
            "nova-compute": 0.003 + 5.842,
        },
        abs=2e-6,
    )
    assert sum(shares.values()) == pytest.approx(7.0)


MOMENT = st.one_of(
    st.floats(-100, 100), st.sampled_from([0.0, 1e9, -1e9, 1e-9])
)
ANY = st.builds(Moments, *[MOMENT] * 6)


@given(st.data())
def test_stretches_follow_each_other_without_gaps(data):
    """Whatever the moments are, each belongs to one holder."""
    count = data.draw(st.integers(1, 12))
    moments = [data.draw(ANY) for _ in range(count)]
    links = [None] + [
        Link(
            data.draw(st.integers(0, n - 1)),
            "id",
            None,
            data.draw(st.booleans()),
        )
        for n in range(1, count)
    ]
    place = data.draw(st.integers(0, count - 1))

    found = path(place, moments[place].ended, links, moments)

    for before, after in zip(found, found[1:], strict=False):
        assert before[1] == pytest.approx(after[0])
    assert all(start < end for start, end, _, _ in found)
    if found:
        assert found[-1][1] == moments[place].ended
