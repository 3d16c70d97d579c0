# SPDX-License-Identifier: Apache-2.0
"""Tests of the lines of py-spy, cut by request."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nova_profiler
from nova_profiler.profilers import pyspy_stacks
from nova_profiler.profilers.pyspy_cut import SUPERVISOR, Cut
from nova_profiler.profilers.pyspy_stacks import (
    Frame,
    Stacks,
    Waits,
    frames_of,
    leaf_of,
    tagged_stack,
)

OWN = os.path.dirname(nova_profiler.__file__)
TAG = f"np_request_7 ({OWN}/profilers/request_tags.py:80)"


def a_line(*frames: str, samples: int = 1) -> bytes:
    return f"{';'.join(frames)} {samples}".encode()


def test_a_line_is_cut_below_the_tag():
    """What the server did to get there is not the request's."""
    line = a_line("serve (server.py:3)", TAG, "f (a.py:1)", "g (b.py:2)")

    found = tagged_stack(line)

    assert found == ("np_request_7", b"f (a.py:1);g (b.py:2)", 1)


def test_a_line_without_a_tag_is_nobodys():
    """Threads that wait for work belong to no request."""
    assert tagged_stack(a_line("wait (server.py:3)")) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"np_request_",
        b"np_request_x (a.py:1) 3",
        b"np_request_7 (a.py:1) many",
        b"np_request_7 (a.py:1)",
        b" 5",
    ],
)
def test_garbled_lines_are_nobodys(line):
    """A line that was cut off is no stack."""
    assert tagged_stack(line) is None


def test_the_outermost_trampoline_of_a_request_is_where_it_begins():
    """A request passes through its trampoline more than once."""
    found = tagged_stack(a_line(TAG, "f (a.py:1)", TAG, "g (b.py:2)"))

    assert [frame.function for frame in frames_of(found.stack)] == ["f", "g"]


def test_the_innermost_of_two_requests_has_the_stack():
    """A request that is served within another one's is itself."""
    inner = TAG.replace("_7", "_8")

    found = tagged_stack(a_line(TAG, "f (a.py:1)", inner, "g (b.py:2)"))

    assert found == ("np_request_8", b"g (b.py:2)", 1)


def test_our_own_frames_are_left_out():
    """What we put between nova's frames is not nova's."""
    stack = (
        f"f (/site/nova/a.py:1);step ({OWN}/watching.py:9);g (/b (x).py:2)"
    ).encode()

    assert frames_of(stack) == [
        Frame("f", "/site/nova/a.py", 1),
        Frame("g", "/b (x).py", 2),
    ]


def test_a_frame_may_have_no_line():
    """py-spy leaves out a line that it cannot tell."""
    assert frames_of(b"<module> (<string>)") == [
        Frame("<module>", "<string>", 0)
    ]


@given(st.binary(max_size=200))
def test_no_line_breaks_the_reader(line):
    """Whatever py-spy writes, it is read or left."""
    found = tagged_stack(b"np_request_1 (a.py:1);" + line + b" 2")

    if found is not None:
        for frame in frames_of(found.stack):
            assert frame.function
            assert frame.line >= 0


def test_a_request_has_a_limited_number_of_stacks(monkeypatch):
    """Samples without room are counted, not kept."""
    monkeypatch.setattr(pyspy_stacks, "MAX_STACKS", 2)
    stacks = Stacks()

    for number in range(4):
        stacks.add(b"f (a.py:%d)" % number, 10)
    stacks.add(b"f (a.py:0)", 1)
    stacks.stand_for(1.0)

    assert stacks.times == {b"f (a.py:0)": 11.0, b"f (a.py:1)": 10.0}
    assert (stacks.samples, stacks.left_out) == (41, 20)


def test_samples_stand_for_the_interval_of_their_recording():
    """Two recordings of one request may have looked at different rates."""
    stacks = Stacks()

    stacks.add(b"f (a.py:1)", 10)
    stacks.stand_for(0.02)
    stacks.add(b"f (a.py:1)", 2)
    stacks.stand_for(0.1)

    assert stacks.times[b"f (a.py:1)"] == pytest.approx(0.4)
    assert stacks.interval_s == pytest.approx(0.4 / 12)


def test_a_line_that_never_runs_waits():
    """Seen by the one that sees all, not by the one that sees who runs."""
    waits = Waits()
    waits.seen(b"recv (socket.py:7)", 1000)
    waits.seen(b"loads (json.py:3)", 1000)
    waits.ran(b"loads (json.py:3)", 1000)

    waits.settle()

    assert waits.share(b"recv (socket.py:7)") > 0.98
    assert waits.share(b"loads (json.py:3)") < 0.02


def test_a_line_seldom_seen_is_like_its_function():
    """One sample of a line says next to nothing."""
    waits = Waits()
    waits.seen(b"recv (socket.py:7)", 1000)
    waits.seen(b"loads (json.py:3)", 1000)
    waits.ran(b"loads (json.py:3)", 1000)
    waits.seen(b"loads (json.py:4)", 1)

    waits.settle()

    assert waits.share(b"loads (json.py:4)") < 0.3
    assert waits.share(b"unheard (of.py:1)") == pytest.approx(0.5, abs=0.01)


def test_what_was_seen_long_ago_fades(monkeypatch):
    """The lines known stay few, however long the process runs."""
    monkeypatch.setattr(pyspy_stacks, "MAX_LEAVES", 10)
    waits = Waits()

    for number in range(1000):
        waits.seen(b"f (a.py:%d)" % number, 1)

    assert len(waits._lines) <= 10


class Owner:
    done = False
    stacks = None


class Over:
    rate, running_rate, began, ended = 50, 10, 100.0, 110.0


def test_each_request_gets_its_own_stacks():
    """Of one recording, by tag; what is of nobody is dropped."""
    owners = {"np_request_7": Owner(), "np_request_8": Owner()}
    cut = Cut(owners)

    cut.take(a_line("s (s.py:1)", TAG, "f (a.py:1)", samples=4))
    cut.take(a_line(TAG.replace("_7", "_8"), "g (b.py:1)", samples=2))
    cut.take(a_line(TAG.replace("_7", "_9"), "h (c.py:1)", samples=2))
    cut.take(a_line("idle (pool.py:1)", samples=500))

    seven, eight = (owner.stacks for owner in owners.values())
    assert (seven.samples, list(seven.times)) == (4, [b"f (a.py:1)"])
    assert (eight.samples, list(eight.times)) == (2, [b"g (b.py:1)"])


def test_the_looks_are_counted_by_our_own_thread():
    """py-spy looks less often than told where the machine is busy."""
    cut = Cut({})
    cut.take(a_line(f"{SUPERVISOR.decode()} (x.py:1)", samples=250))

    assert cut.end(Over, Waits()) == pytest.approx(10 / 250)


def test_without_our_thread_the_rate_is_taken_as_told():
    """Better than nothing: 50 a second were asked for."""
    assert Cut({}).end(Over, Waits()) == pytest.approx(1 / 50)


def test_few_looks_at_running_threads_stand_for_many():
    """A line seen in 100 of 500 looks, and running in 20 of 100, runs."""
    cut, waits = Cut({}), Waits()
    cut.take(a_line(TAG, "f (a.py:1)", samples=100))
    cut.take_running(a_line(TAG, "f (a.py:1)", samples=20))

    cut.end(Over, waits)

    assert waits.share(leaf_of(b"f (a.py:1)")) == pytest.approx(0.0, abs=0.01)
