# SPDX-License-Identifier: Apache-2.0
"""Tests of the lines of py-spy, cut by request."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nova_profiler
from nova_profiler.capture.profilers.pyspy import stacks as module
from nova_profiler.capture.profilers.pyspy.stacks import (
    Frame,
    Stacks,
    frames_of,
    tagged_stack,
)

OWN = os.path.dirname(nova_profiler.__file__)
TAG = f"np_request_7 ({OWN}/capture/profilers/pyspy/request_tags.py:80)"


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
        f"f (/site/nova/a.py:1);step ({OWN}/capture/a.py:9);g (/b (x).py:2)"
    ).encode()

    assert frames_of(stack) == [
        Frame("f", "/site/nova/a.py", 1),
        Frame("g", "/b (x).py", 2),
    ]


def test_a_frame_may_have_no_line():
    """py-spy leaves out a line that it does not know."""
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
    monkeypatch.setattr(module, "MAX_STACKS", 2)
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
