# SPDX-License-Identifier: Apache-2.0
"""When each look was: as long as the sums, and never more than has room."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen import (
    all_requests,
    one_request,
    stretch_room,
    timed_looks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.all_requests import (
    DECISION_NS,
    SeenRequests,
)
from nova_profiler.capture.profilers.stacks.reader.seen.ends import (
    UNKNOWN,
    Clocks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    Look,
    SeenRequest,
)
from nova_profiler.capture.profilers.stacks.reader.seen.stretch_room import (
    TRIED_EVERY,
    Room,
)
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    MOST_OF_ALL,
    MOST_STRETCHES,
    OWN_LANE,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
    Times,
)

PATHS = [Path(None, number) for number in range(4)]
MS = 1_000_000
TICK_NS = 10 * MS


def waiting(at, path=PATHS[0]):
    return Look(at, None, path, WAITS)


def request():
    return SeenRequest(8, Room({}))


def sums_of(seen):
    """Return the nanoseconds of each stack by its stretches."""
    keys = list(seen.paths)
    sums = dict.fromkeys(keys, 0)
    for one in seen.timed:
        sums[keys[one.stack]] += one.ns
    return sums


steps = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 10**9),
        st.integers(0, 100),
        st.integers(0, 100),
        st.sampled_from([RUNS, GIL, WAITS]),
        st.sampled_from(PATHS),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def looked_at(seen, steps):
    """Look at pieces 1 to 3 of *seen*; return each piece and its moment."""
    at, looks = 0, []
    clocks: dict[int, tuple[int, int, int]] = {}
    for number, wall, run_share, queue_share, state, path, has_ended in steps:
        at += wall
        last, ran, queued = clocks.get(number, (at, 0, 0))
        ran += (at - last) * run_share // 200
        queued += (at - last) * queue_share // 200
        clocks[number] = at, ran, queued
        times = Times(ran, queued, 0)
        seen.add(number, at - wall, Look(at, times, path, state), number == 1)
        looks.append((number, at))
        if has_ended:
            seen.end_piece(number, at + wall // 3)
            clocks.pop(number)
    return looks


@given(
    steps,
    st.integers(0, 10**8),
    st.one_of(st.just(UNKNOWN), st.integers(0, 10**10)),
    st.integers(0, 10**10),
)
def test_stretches_are_as_long_as_the_sums(steps, early, ran_ns, queued_ns):
    """Of each stack and state, as far as none was joined with another's."""
    seen = request()

    *_, (_, at) = looked_at(seen, steps)
    seen.end(Clocks(-early, at + 7, ran_ns, queued_ns))

    sums = {key: time_ns for key, (_, time_ns, _) in seen.paths.items()}
    lengths = sums_of(seen)
    assert lengths.keys() == sums.keys()
    # Each end is a whole number of nanoseconds of its own.
    ends = len(seen.ends.stretches)
    assert all(abs(lengths[key] - sums[key]) <= ends for key in sums)
    assert {one.lane for one in seen.timed} <= {OWN_LANE, 2, 3}
    assert (seen.untimed, seen.timed.joined) == (0, 0)


@given(steps)
def test_a_stretch_is_around_the_moment_of_its_look(steps):
    """In its lane, and none is in another, but for a tick of the clock."""
    seen = request()

    # The pieces of one that ends are begun anew before it has ended, here.
    looks = looked_at(seen, [(*step, False) for *step, _ in steps])

    stretches = list(seen.timed)
    for number, at_ns in looks:
        lane = OWN_LANE if number == 1 else number
        assert any(
            one.lane == lane
            and one.start_ns <= at_ns <= one.start_ns + one.ns + TICK_NS
            for one in stretches
        )
    ended: dict[int, int] = {}
    for one in stretches:
        assert one.start_ns >= ended.get(one.lane, 0) - TICK_NS
        ended[one.lane] = one.start_ns + one.ns


def test_a_stack_that_goes_on_is_one_stretch():
    """A thread that waits for a minute takes no more room than one look."""
    seen = request()

    for number in range(6000):
        seen.add(1, 0, waiting(number * 10 * MS))

    (stretch,) = seen.timed
    assert stretch.ns == 5999 * 10 * MS


def test_a_stack_that_runs_on_is_one_stretch():
    """Its clock is late by up to a tick, and then early."""
    seen = request()

    for number, late in enumerate((0, 9, 3, 7, 0, 10, 1)):
        at = number * 20 * MS
        times = Times(at - late * MS, 0, 0)
        seen.add(1, 0, Look(at, times, PATHS[0], RUNS))

    assert len(list(seen.timed)) == 1
    assert sums_of(seen) == {
        key: time_ns for key, (_, time_ns, _) in seen.paths.items()
    }


def changing(seen, looks, piece=1, first=0):
    """Have each of *looks* find another stack than the one before it."""
    for number in range(first, first + looks):
        look = waiting(number * 10 * MS, PATHS[number % 2])
        seen.add(piece, first * 10 * MS, look)


def test_more_than_there_is_room_for_are_joined():
    """No time is lost; half of the stacks give way to a neighbour."""
    seen = request()

    changing(seen, 10 * MOST_STRETCHES)

    assert MOST_STRETCHES / 2 <= len(seen.timed) <= MOST_STRETCHES
    assert seen.timed.joined > 0
    assert sum(one.ns for one in seen.timed) == sum(
        time_ns for _, time_ns, _ in seen.paths.values()
    )
    ends = [one.start_ns + one.ns for one in seen.timed]
    starts = [one.start_ns for one in seen.timed]
    assert all(
        start >= end - 1000
        for end, start in zip(ends, starts[1:], strict=False)
    )
    assert seen.untimed == 0


def test_the_longer_of_two_stands_for_both():
    """Beside a gap that is longer than both, each stays."""
    seen = request()
    looks = timed_looks.TimedLooks()
    seen.timed = looks
    looks.add(timed_looks.Stretch(2, 0, 0, 10))
    looks.add(timed_looks.Stretch(2, 1, 10, 30))
    looks.add(timed_looks.Stretch(2, 0, 100, 5))
    last = looks.add(timed_looks.Stretch(2, 1, 1000, 5))

    places = looks.join()

    assert [tuple(one) for one in looks] == [
        (2, 1, 0, 40),
        (2, 0, 100, 5),
        (2, 1, 1000, 5),
    ]
    assert looks.joined == 1
    assert not looks.is_given_up
    looks.lengthen(places[last], 7)
    assert list(looks)[-1].ns == 12


def test_what_cannot_be_joined_is_given_up():
    """Thousands of greenthreads with a look each: their sums stay."""
    seen = request()

    for number in range(1, MOST_STRETCHES + 3):
        seen.add(number, number * MS, waiting(number * MS + 5))
        seen.end_piece(number, number * MS + 9)

    seen.end(Clocks(0, (MOST_STRETCHES + 3) * MS))
    assert len(seen.timed) == 0
    assert seen.untimed == seen.looks == MOST_STRETCHES + 2
    assert sum(time_ns for _, time_ns, _ in seen.paths.values()) == (
        9 * seen.looks
    )


def test_what_is_given_up_is_counted_once():
    """As looks without a time, no longer as stretches that were joined."""
    seen = request()
    changing(seen, 2 * MOST_STRETCHES)
    assert seen.timed.joined > 0

    for number in range(2, 2 * MOST_STRETCHES):
        seen.add(number, number * MS, waiting(number * MS + 5))
        seen.end_piece(number, number * MS + 9)

    assert seen.timed.is_given_up
    assert (seen.timed.joined, seen.untimed) == (0, seen.looks)


def test_a_request_without_stretches_takes_no_room_of_others(monkeypatch):
    """Though there is none left."""
    monkeypatch.setattr(stretch_room, "MOST_OF_ALL", 100)
    requests = SeenRequests()
    other, given_up = requests.of(1, 8), requests.of(2, 8)
    changing(other, 100)
    given_up.timed.is_given_up = True

    changing(given_up, TRIED_EVERY + 3)

    assert len(other.timed) == 100
    assert given_up.untimed == given_up.looks


def test_a_look_whose_path_has_no_room_has_no_time(monkeypatch):
    """And is counted."""
    monkeypatch.setattr(one_request, "MOST_PATHS", 2)
    seen = request()

    for number, path in enumerate(PATHS):
        seen.add(1, 0, waiting(number, path))

    assert (seen.left_out, seen.untimed, len(seen.timed)) == (2, 2, 2)


def taken_by(requests):
    known = requests._known.values()
    return sum(len(one.timed) for one in known)


def test_all_requests_together_are_bounded():
    """A long one has fewer stretches then; a short one has its own."""
    requests = SeenRequests()
    for number in range(40):
        changing(requests.of(number, 8), 1400)

    changing(requests.of(99, 8), 20)

    assert len(requests.of(99, 8).timed) == 20
    assert requests.room.taken == taken_by(requests) <= MOST_OF_ALL


class Counted(dict):
    """Requests, and how often they were searched for the largest."""

    searched = 0

    def values(self):
        self.searched += 1
        return super().values()


def test_without_room_a_look_has_no_time(monkeypatch):
    """Where all requests are short; whether they are is asked seldom."""
    monkeypatch.setattr(stretch_room, "MOST_OF_ALL", 3)
    known = Counted()
    room = Room(known)
    for number in range(TRIED_EVERY + 3):
        known[number] = SeenRequest(8, room)
        changing(known[number], 1)

    assert room.taken == 3
    assert known.searched == 1
    assert known[3].untimed == 1
    changing(known[3], 1)
    assert known.searched == 2


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 60)), max_size=30))
def test_room_is_given_back(work):
    """By requests that are asked for, forgotten or crowded out."""
    requests = SeenRequests()
    with_few = 2
    most_requests = all_requests.MOST_REQUESTS
    all_requests.MOST_REQUESTS = with_few
    try:
        for number, looks in work:
            changing(requests.of(number, 8), looks)
            assert requests.room.taken == taken_by(requests)
            if looks % 7 == 0:
                requests.take(number)
        requests.forget_ended(set(), 1)
        requests.forget_ended(set(), 2 + DECISION_NS)
    finally:
        all_requests.MOST_REQUESTS = most_requests

    assert requests.room.taken == 0


def test_a_stretch_takes_three_words():
    """So all of them together are less than a megabyte."""
    looks = timed_looks.TimedLooks()
    for number in range(MOST_STRETCHES):
        looks.add(timed_looks.Stretch(number, number, number, number))

    each = sys.getsizeof(looks._words) / MOST_STRETCHES

    assert each * MOST_OF_ALL < 1_000_000
