# SPDX-License-Identifier: Apache-2.0
"""Which look stands for which time, by the kernel's clocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen.ends import Clocks
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    MOST_FRAMES,
    MOST_PATHS,
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

F, G = Path(None, 1), Path(None, 2)


def look(at, ran=0, queued=0, path=F, state=RUNS):
    return Look(at, Times(ran, queued, 0), path, state)


def of(*looks, began=0):
    """Return a request that was seen in *looks*."""
    seen = SeenRequest(8, Room({}))
    for one in looks:
        seen.add(1, began, one)
    return seen


def steps_of(most):
    """Return what makes looks: wall time, shares of it, and the state."""
    step = st.tuples(
        st.integers(1, 10**9),
        st.integers(0, 100),
        st.integers(0, 100),
        st.sampled_from([RUNS, GIL, WAITS]),
    )
    return st.lists(step, min_size=1, max_size=most)


def looks_of(steps):
    """Return a look at the end of each of *steps*."""
    at = ran = queued = 0
    for wall, run_share, queue_share, state in steps:
        at += wall
        ran += wall * run_share // 200
        queued += wall * queue_share // 200
        yield look(at, ran, queued, state=state)


def times_of(seen):
    return {key: time_ns for key, (_, time_ns, _) in seen.paths.items()}


def test_what_ran_goes_to_the_look_that_found_it_running():
    """And the rest to the one that found it waiting, whatever the halves."""
    seen = of(look(0), look(100, ran=30, path=G, state=WAITS))

    assert times_of(seen) == {(F, RUNS): 30, (G, WAITS): 70}


def test_two_looks_of_one_state_share_the_time():
    """Half to each."""
    seen = of(look(0, state=GIL), look(100, path=G, state=WAITS))

    assert times_of(seen) == {(F, GIL): 50, (G, WAITS): 50}


def test_time_that_fits_no_look_has_no_place():
    """It is added up by itself, never shared out as if it were known."""
    seen = of(
        look(0, state=WAITS),
        look(100, ran=40, queued=10, state=WAITS),
        look(200, ran=40, queued=10),
        look(300, ran=100, queued=30),
    )

    assert seen.ran_unseen_ns == 40
    assert seen.queued_ns == 30
    assert seen.waited_unseen_ns == 20
    assert sum(times_of(seen).values()) == 300 - 40 - 30 - 20


def test_a_clock_that_is_late_makes_no_waiting():
    """A thread that runs has up to a tick more than its clock states."""
    looks = [look(100 * n, ran=100 * n - 4 * (n % 2)) for n in range(1, 50)]

    seen = of(*looks, began=100)

    assert seen.waited_unseen_ns <= 4
    assert seen.ran_ns == looks[-1].times.ran - looks[0].times.ran


@given(steps_of(40))
def test_all_parts_add_up_to_the_time_that_was_seen(steps):
    """Whatever the states and clocks: no time is there twice, or lost."""
    looks = list(looks_of(steps))
    at = looks[-1].at_ns
    seen = of(*looks)
    seen.end(Clocks(0, at + 5))

    parts = (
        sum(times_of(seen).values())
        + seen.ran_unseen_ns
        + seen.queued_ns
        + seen.waited_unseen_ns
    )
    # Half a nanosecond is lost where two share an odd number.
    assert at + 5 - len(looks) * 2 <= parts <= at + 5
    assert seen.seen_ns == at + 5


def test_the_first_look_stands_for_the_time_since_the_begin():
    """Once that is known exactly."""
    seen = SeenRequest(8, Room({}))
    seen.add(1, 80, look(100, state=WAITS), True)

    seen.end(Clocks(50, 130))

    assert times_of(seen) == {(F, WAITS): 80}
    assert seen.seen_ns == 80


@given(steps_of(6), st.integers(0, 10**7))
def test_the_sums_of_a_request_are_those_of_its_clocks(steps, before):
    """However few looks it has; a look more says nothing about the ends."""
    seen = SeenRequest(8, Room({}))
    looks = list(looks_of(steps))
    for one in looks:
        seen.add(1, 0, one, True)
    at, (ran, queued, _) = looks[-1].at_ns, looks[-1].times
    ended = at + before // 2

    seen.end(Clocks(-before, ended, ran, queued))

    assert seen.seen_ns == ended + before
    assert seen.ran_ns == ran
    assert seen.queued_ns == queued


def test_a_request_that_was_seen_late_is_not_stretched():
    """The reader began after it: what came before was not seen."""
    seen = of(look(10**9, state=WAITS), began=10**9)

    seen.end(Clocks(0, 10**9 + 5))

    assert seen.seen_ns == 5


def test_new_frames_past_the_most_of_all_requests_are_left_out():
    """Until requests are over: each is an object that somebody keeps."""
    room = Room({})
    one, other = SeenRequest(8, room), SeenRequest(16, room)
    new = look(1)._replace(new=MOST_FRAMES + 1)
    one.add(1, 0, new, True)

    other.add(2, 0, new, True)
    one.add(1, 0, new._replace(at_ns=2, path=G), True)

    assert (one.looks, one.left_out) == (2, 1)
    assert (other.looks, other.left_out) == (1, 1)
    # What is known already takes none.
    one.add(1, 0, new._replace(at_ns=3), True)
    assert one.left_out == 1
    one.let_go()
    one.let_go()
    assert room.frames == 0


def test_more_paths_than_there_is_room_for_are_counted():
    """Not kept."""
    looks = [look(n, path=Path(None, n)) for n in range(MOST_PATHS + 3)]

    seen = of(*looks)

    assert seen.left_out == 3
    assert len(seen.paths) == MOST_PATHS
