# SPDX-License-Identifier: Apache-2.0
"""What the time before a first look and after a last one consists of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen import ends as module
from nova_profiler.capture.profilers.stacks.reader.seen.ends import (
    UNKNOWN,
    Ends,
    Shares,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
)

F, G = Path(None, 1), Path(None, 2)


def ends_of(*found):
    ends = Ends()
    for path, state, time_ns in found:
        ends.add((path, state), time_ns)
    return ends


def parts_of(ends, shares):
    return [ends.part_of(*one, shares) for one in ends.by_look.items()]


def test_time_in_line_is_no_work_though_the_look_found_it_running():
    """A full machine: 5 ms of work, 90 in line, one look."""
    ends = ends_of((F, RUNS, 100))

    shares = ends.shares(5, 90, 0)

    assert shares == Shares(5, 90, 5, 0, 0, 5)
    assert parts_of(ends, shares) == [5]


def test_work_that_no_look_found_has_no_place():
    """The look was at a wait; the clock of the request ran all the same."""
    ends = ends_of((F, WAITS, 60), (G, GIL, 40))

    shares = ends.shares(30, 20, 0)

    assert shares == Shares(30, 20, 0, 50, 30, 0)
    assert parts_of(ends, shares) == [30, 20]


def test_without_clocks_each_look_stands_for_what_it_found():
    """As with greenthreads, which have none of their own."""
    ends = ends_of((F, RUNS, 60), (G, WAITS, 40))

    shares = ends.shares(UNKNOWN, 0, 0)

    assert shares == Shares(60, 0, 60, 40, 0, 0)
    assert parts_of(ends, shares) == [60, 40]


def test_a_part_that_was_never_looked_at_has_its_share_of_the_clocks():
    """Such as a body that is sent in many short pieces."""
    shares = ends_of((F, RUNS, 50)).shares(40, 20, 150)

    assert (shares.ran, shares.queued) == (10, 5)


TIMES = st.integers(0, 10**10)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([F, G]),
            st.sampled_from([RUNS, GIL, WAITS]),
            st.integers(0, 10**9),
        ),
        max_size=6,
    ),
    st.one_of(st.just(UNKNOWN), TIMES),
    TIMES,
    TIMES,
)
def test_no_time_is_there_twice_or_lost(found, ran_ns, queued_ns, beside_ns):
    """Whatever the clocks: they may be late, and of more than was seen."""
    ends = ends_of(*found)

    shares = ends.shares(ran_ns, queued_ns, beside_ns)

    assert min(shares) >= 0
    booked = sum(parts_of(ends, shares))
    placed = shares.running + shares.waiting
    assert placed - len(found) <= booked <= placed
    assert shares.ran == shares.running + shares.ran_unseen
    assert ends.total_ns == (
        placed + shares.ran_unseen + shares.waited_unseen + shares.queued
    )


def test_what_is_kept_apart_is_bounded(monkeypatch):
    """What comes after is in the sums."""
    monkeypatch.setattr(module, "MOST_ENDS", 2)

    ends = ends_of(*((Path(None, n), RUNS, 10) for n in range(5)))

    assert (len(ends.by_look), ends.total_ns) == (2, 50)
