# SPDX-License-Identifier: Apache-2.0
"""Pieces in other threads: no longer than the worker's clocks state."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen.ends import (
    UNKNOWN,
    Clocks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.far_pieces import (
    MOST_FAR,
    PieceClocks,
    piece_clocks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    Look,
    SeenRequest,
)
from nova_profiler.capture.profilers.stacks.reader.seen.stretch_room import (
    Room,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
    Times,
)

MS = 1_000_000
PATHS = [Path(None, number) for number in range(3)]
WHOLE = Clocks(0, 1000 * MS)


def request():
    return SeenRequest(8, Room({}))


def look(at, ran=0, state=RUNS, path=PATHS[0]):
    return Look(at, Times(ran, 0, 0), path, state)


def placed_ns(seen):
    return sum(time_ns for _, time_ns, _ in seen.paths.values())


def test_one_look_stands_for_the_piece_and_no_longer():
    """Rounds of looks are 160 ms apart, the piece took 2.5 ms."""
    seen = request()
    seen.add(7, 20 * MS, look(101 * MS))
    seen.end_piece(7, 180 * MS)

    of_pieces = {7: PieceClocks(100 * MS, 102_500_000, 2 * MS)}
    seen.end(WHOLE, of_pieces)

    assert seen.seen_ns == 2_500_000
    assert seen.ran_ns == 2 * MS
    assert placed_ns(seen) == 2 * MS
    assert seen.waited_unseen_ns == 500_000
    (stretch,) = seen.timed
    assert stretch.start_ns >= 100 * MS
    assert stretch.start_ns + stretch.ns <= 102_500_000


def test_a_piece_that_no_look_found_is_in_the_sums():
    """So that many requests together have no piece too little."""
    seen = request()
    seen.end(WHOLE, {7: PieceClocks(100 * MS, 103 * MS, 1 * MS)})

    assert (seen.seen_ns, seen.ran_ns) == (3 * MS, 1 * MS)
    assert (seen.ran_unseen_ns, seen.waited_unseen_ns) == (1 * MS, 2 * MS)


def test_of_a_greenthread_the_extent_alone_is_known():
    """Its looks stand for it; one that none found is not added."""
    seen = request()
    seen.add(7, 20 * MS, Look(101 * MS, None, PATHS[0], WAITS))
    seen.end_piece(7, 180 * MS)

    clocks = PieceClocks(100 * MS, 104 * MS)
    seen.end(WHOLE, {7: clocks, 8: clocks})

    assert (seen.seen_ns, seen.ran_ns) == (4 * MS, 0)
    assert placed_ns(seen) == 4 * MS


def test_one_that_goes_on_is_as_long_as_the_rounds_have_it():
    """The worker states when a piece is over."""
    seen = request()
    seen.add(7, 900 * MS, look(920 * MS, state=WAITS))

    seen.end(WHOLE)

    assert seen.seen_ns == placed_ns(seen) == 100 * MS


def test_those_past_the_most_are_as_the_rounds_have_them():
    """Memory is bounded, whatever a request spawns."""
    seen = request()
    for number in range(1, MOST_FAR + 6):
        seen.add(number, number * MS, look(number * MS + 4, state=WAITS))
        seen.end_piece(number, number * MS + 9)

    seen.end(WHOLE)

    assert len(seen.far) == MOST_FAR
    assert placed_ns(seen) == 9 * (MOST_FAR + 5)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 100),
            st.integers(0, 100),
            st.sampled_from([RUNS, GIL, WAITS]),
            st.sampled_from(PATHS),
        ),
        min_size=1,
        max_size=8,
    ),
    st.tuples(st.integers(0, 300), st.integers(0, 300)),
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.integers(0, 100),
)
def test_the_sums_are_those_of_the_clocks(steps, taken, ends, share):
    """Whatever the looks found, and when the rounds took it to begin."""
    seen, at, ran = request(), 1000, 0
    first_ns = at + steps[0][0]
    for wall, ran_share, state, path in steps:
        at += wall
        ran += wall * ran_share // 100
        seen.add(7, 1000 - taken[0], look(at, ran, state, path))
    seen.end_piece(7, at + taken[1])
    between_ns = seen.ran_ns
    wall_ns = ends[0] + at - first_ns + ends[1]
    ran_ns = between_ns + sum(ends) * share // 100
    clocks = PieceClocks(first_ns - ends[0], at + ends[1], ran_ns)

    seen.end(WHOLE, {7: clocks})

    assert (seen.seen_ns, seen.ran_ns) == (wall_ns, ran_ns)
    parts = placed_ns(seen) + seen.ran_unseen_ns + seen.waited_unseen_ns
    assert wall_ns - 2 * len(steps) - 2 <= parts <= wall_ns


def test_clocks_are_read_as_they_are_sent():
    """Microseconds from the request's begin on."""
    clocks = piece_clocks([[7, 20, 3, 2], [8, 30, 1, -1]], 5_000)

    assert clocks == {
        7: PieceClocks(25_000, 28_000, 2_000),
        8: PieceClocks(35_000, 36_000, UNKNOWN),
    }
