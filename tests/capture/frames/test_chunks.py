# SPDX-License-Identifier: Apache-2.0
"""Room on the stack: no loop within pays for the border of a chunk."""

import resource
import sys

import pytest
from serving import Profiled, during, set_clock

from nova_profiler.capture.frames.chunks import with_room

CALLS = 200
# So many frames of `at_depth` fill more than one chunk of 2048 words.
DEPTHS = range(0, 200)


def called():
    return None


# More words than a frame of `at_depth` has: some depth leaves too few.
called.__code__ = called.__code__.replace(co_stacksize=80)


def faults_of_a_loop():
    """Return the page failures of a loop of calls, here on the stack."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        called()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def at_depth(depth):
    if depth:
        return at_depth(depth - 1)
    return faults_of_a_loop()


def worst():
    """Return the most page failures that the loop has at any depth."""
    return max(at_depth(depth) for depth in DEPTHS)


chunked = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="frames are in chunks from 3.11 on"
)


@chunked
def test_without_room_a_loop_may_map_memory_at_each_call():
    """What the room is for: one depth at least has a fault for each call."""
    assert worst() >= CALLS


@chunked
def test_with_room_no_loop_maps_memory_at_each_call():
    """At the same depths nothing is near a border any more."""
    assert with_room(worst) < CALLS / 4


def test_what_the_function_returns_and_raises_passes():
    """Nothing but the stack differs."""
    assert with_room(max, 1, 3) == 3
    with pytest.raises(ZeroDivisionError):
        with_room(divmod, 1, 0)


@chunked
def test_requests_have_room_once_one_was_long(clock, monkeypatch):
    """Short ones would pay more for the room than they save."""
    set_clock(monkeypatch, clock)
    worsts = []
    profiled = Profiled(during(lambda: worsts.append(worst())))

    profiled.get()
    profiled.worker.latest_s = 0.02
    profiled.get()
    profiled.get()

    assert worsts[0] >= CALLS
    assert worsts[1] < CALLS / 4
    assert worsts[2] >= CALLS
