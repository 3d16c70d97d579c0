# SPDX-License-Identifier: Apache-2.0
"""Tests of the lines of py-spy, cut by request."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nova_profiler
from nova_profiler.capture.profilers.pyspy import stacks as pyspy_stacks
from nova_profiler.capture.profilers.pyspy.attribution import SUPERVISOR, Cut
from nova_profiler.capture.profilers.pyspy.stacks import (
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


SEEN = [(b"recv (socket.py:7)", 1000), (b"loads (json.py:3)", 1000)]
RAN = [(b"loads (json.py:3)", 250)]


def test_a_line_that_never_runs_waits():
    """Seen by the one that sees all, not by the one that sees who runs."""
    waits = Waits()

    waits.compare(SEEN, RAN, 4.0)

    assert waits.share(b"recv (socket.py:7)") > 0.98
    assert waits.share(b"loads (json.py:3)") < 0.02


def test_a_line_seldom_seen_is_like_its_function():
    """One sample of a line says next to nothing."""
    waits = Waits()

    waits.compare([*SEEN, (b"loads (json.py:4)", 1)], RAN, 4.0)

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
    ended = 0.0


class Over:
    """A recording that looked 10 s."""

    rate, running_rate = 50, 10
    looked_from, looked_by, running_by = 100.0, 100.0, 100.0
    ended = over = 110.0

    def __init__(self, **others):
        vars(self).update(others)


def looked(samples: int) -> bytes:
    return a_line(f"{SUPERVISOR.decode()} (x.py:1)", samples=samples)


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
    cut.take(looked(250))

    assert cut.end(Over(), Waits()) == pytest.approx((100, 110, 10 / 250))


def test_without_our_thread_the_rate_is_taken_as_told():
    """Better than nothing: 50 a second were asked for."""
    assert Cut({}).end(Over(), Waits()).interval_s == pytest.approx(1 / 50)


def test_few_looks_at_running_threads_stand_for_many():
    """A line seen in 100 of 500 looks, and running in 20 of 100, runs."""
    cut, waits = Cut({}), Waits()
    cut.take(a_line(TAG, "f (a.py:1)", samples=100))
    cut.take_running(a_line(TAG, "f (a.py:1)", samples=20))

    cut.end(Over(), waits)

    assert waits.is_known
    assert waits.share(leaf_of(b"f (a.py:1)")) == pytest.approx(0.0, abs=0.01)


def test_what_was_seen_before_it_was_known_to_look_counts_in_its_time():
    """85 looks at 50 a second took 1.7 s, whenever our thread noticed."""
    cut = Cut({"np_request_7": Owner()})
    cut.take(looked(85))
    cut.take(a_line(TAG, "f (a.py:1)", samples=85))
    late = Over(looked_by=109.7, running_by=109.7)

    found = cut.end(late, Waits())

    assert found == pytest.approx((108.3, 110.0, 0.02))


def test_a_request_with_samples_was_seen():
    """Looks come by chance: too few of them are no proof of a late start."""
    owner = Owner()
    owner.ended = 105.0
    cut = Cut({"np_request_7": owner})
    cut.take(looked(50))
    cut.take(a_line(TAG, "f (a.py:1)", samples=3))

    found = cut.end(Over(looked_by=109.7), Waits())

    assert found.since == pytest.approx(105.0 - 0.02)


def test_looks_after_the_end_count_in_its_time():
    """Asked to end, py-spy may have to wait for a processor."""
    cut = Cut({})
    cut.take(looked(100))
    late = Over(looked_from=109.0, looked_by=109.0, over=113.0)

    found = cut.end(late, Waits())

    assert found == pytest.approx((109.0, 111.0, 0.02))


@given(
    st.integers(0, 10_000),
    st.integers(1, 1000),
    *[st.floats(0, 60)] * 5,
    st.floats(0, 200),
)
def test_a_stretch_lies_in_what_is_known(
    looks, rate, wide_s, to_s, running_s, rest_s, after_s, ended
):
    """Whatever the clock and py-spy say."""
    looked_by = 100.0 + wide_s
    end = looked_by + max(to_s, running_s) + rest_s
    recording = Over(
        rate=rate,
        running_rate=max(1, rate // 4),
        looked_by=looked_by,
        running_by=looked_by + running_s,
        ended=end,
        over=end + after_s,
    )
    owner = Owner()
    owner.ended = ended
    cut = Cut({"np_request_7": owner})
    cut.take(looked(looks))
    cut.take(a_line(TAG, "f (a.py:1)", samples=looks))
    waits = Waits()

    found = cut.end(recording, waits)

    assert 100.0 <= found.since <= looked_by
    assert end <= found.until <= end + after_s
    assert found.interval_s * max(looks, 1) <= end + after_s - 100.0 + 1e-6
    assert 0.0 <= waits.share(b"f (a.py:1)") <= 1.0


def test_what_only_one_of_two_could_see_is_not_waiting():
    """The one that sees who runs began when the request was over."""
    cut, waits = Cut({}), Waits()
    cut.take(looked(500))
    cut.take(a_line(TAG, "raw_decode (json.py:1)", samples=300))

    cut.end(Over(running_by=106.0), waits)

    assert not waits.is_known
    assert waits.share(b"raw_decode (json.py:1)") == 0.0


def test_few_looks_call_nothing_waiting():
    """That it was not seen to run in three looks says nothing."""
    cut, waits = Cut({}), Waits()
    cut.take(a_line(TAG, "raw_decode (json.py:1)", samples=15))

    cut.end(Over(), waits)

    assert not waits.is_known
    assert waits.share(b"raw_decode (json.py:1)") == 0.0


@pytest.mark.parametrize(
    "leaf",
    [
        b"Condition.wait (/usr/lib/python3.11/threading.py:320)",
        b"wait (/usr/lib/python3.10/threading.py:320)",
        b"_sleep (/v/lib/python3.11/site-packages/os_brick/utils.py:45)",
    ],
)
def test_what_only_waits_waits_however_seldom_it_was_seen(leaf):
    """Nor is it running where py-spy took it for that."""
    waits = Waits()
    assert waits.share(leaf) == 1.0

    waits.compare([(leaf, 100)], [(leaf, 10)], 4.0)

    assert waits.is_known
    assert waits.share(leaf) == 1.0


def test_short_recordings_do_not_forget_each_other():
    """What few looks have told is all that is known of a quiet worker."""
    waits = Waits()
    waits.compare([(b"f (a.py:1)", 100)], [(b"f (a.py:1)", 25)], 4.0)

    for _ in range(20):
        waits.compare([(b"g (a.py:9)", 2)], [], 4.0)

    assert waits.is_known
    assert waits.share(b"f (a.py:1)") < 0.05


def test_a_busy_worker_learns_anew():
    """Half of what is known fades with each recording of many samples."""
    waits = Waits()
    waits.compare([(b"f (a.py:1)", 4000)], [(b"f (a.py:1)", 1000)], 4.0)

    for _ in range(5):
        waits.compare([(b"f (a.py:1)", 4000)], [], 4.0)

    assert waits.share(b"f (a.py:1)") > 0.9
