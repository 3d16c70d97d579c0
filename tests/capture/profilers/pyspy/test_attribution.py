# SPDX-License-Identifier: Apache-2.0
"""The lines of a recording, given to the requests that they are of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.pyspy.attribution import (
    SUPERVISOR,
    Attribution,
)
from nova_profiler.capture.profilers.pyspy.stacks import leaf_of
from nova_profiler.capture.profilers.pyspy.waits import Waits

TAG = "np_request_7 (request_tags.py:80)"


def a_line(*frames: str, samples: int = 1) -> bytes:
    return f"{';'.join(frames)} {samples}".encode()


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
    """Of one recording, by tag; a line without a request is dropped."""
    owners = {"np_request_7": Owner(), "np_request_8": Owner()}
    lines = Attribution(owners)

    lines.take(a_line("s (s.py:1)", TAG, "f (a.py:1)", samples=4))
    lines.take(a_line(TAG.replace("_7", "_8"), "g (b.py:1)", samples=2))
    lines.take(a_line(TAG.replace("_7", "_9"), "h (c.py:1)", samples=2))
    lines.take(a_line("idle (pool.py:1)", samples=500))

    seven, eight = (owner.stacks for owner in owners.values())
    assert (seven.samples, list(seven.times)) == (4, [b"f (a.py:1)"])
    assert (eight.samples, list(eight.times)) == (2, [b"g (b.py:1)"])


def test_the_looks_are_counted_by_our_own_thread():
    """py-spy looks less often than asked where the machine is busy."""
    lines = Attribution({})
    lines.take(looked(250))

    assert lines.end(Over(), Waits()) == pytest.approx((100, 110, 10 / 250))


def test_without_our_thread_the_rate_is_taken_as_asked():
    """Better than nothing: 50 a second were asked for."""
    found = Attribution({}).end(Over(), Waits())

    assert found.interval_s == pytest.approx(1 / 50)


def test_few_looks_at_running_threads_stand_for_many():
    """A line seen in 100 of 500 looks, and running in 20 of 100, runs."""
    lines, waits = Attribution({}), Waits()
    lines.take(a_line(TAG, "f (a.py:1)", samples=100))
    lines.take_running(a_line(TAG, "f (a.py:1)", samples=20))

    lines.end(Over(), waits)

    assert waits.is_known
    assert waits.share(leaf_of(b"f (a.py:1)")) == pytest.approx(0.0, abs=0.01)


def test_what_was_seen_before_it_was_known_to_look_counts_in_its_time():
    """85 looks at 50 a second took 1.7 s, whenever our thread noticed."""
    lines = Attribution({"np_request_7": Owner()})
    lines.take(looked(85))
    lines.take(a_line(TAG, "f (a.py:1)", samples=85))
    late = Over(looked_by=109.7, running_by=109.7)

    found = lines.end(late, Waits())

    assert found == pytest.approx((108.3, 110.0, 0.02))


def test_more_looks_than_fit_were_made_in_all_the_time_there_was():
    """600 looks at 50 a second would take 12 s of 10.5."""
    lines = Attribution({})
    lines.take(looked(600))

    found = lines.end(Over(looked_by=109.7, over=110.5), Waits())

    assert found == pytest.approx((100.0, 110.5, 0.0175))


def test_a_request_with_samples_was_seen():
    """Looks come by chance: too few of them are no proof of a late start."""
    owner = Owner()
    owner.ended = 105.0
    lines = Attribution({"np_request_7": owner})
    lines.take(looked(50))
    lines.take(a_line(TAG, "f (a.py:1)", samples=3))

    found = lines.end(Over(looked_by=109.7), Waits())

    assert found.since == pytest.approx(105.0 - 0.02)


def test_looks_after_the_end_count_in_its_time():
    """Asked to end, py-spy may have to wait for a processor."""
    lines = Attribution({})
    lines.take(looked(100))
    late = Over(looked_from=109.0, looked_by=109.0, over=113.0)

    found = lines.end(late, Waits())

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
    """Whatever the clock and py-spy report."""
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
    lines = Attribution({"np_request_7": owner})
    lines.take(looked(looks))
    lines.take(a_line(TAG, "f (a.py:1)", samples=looks))
    waits = Waits()

    found = lines.end(recording, waits)

    assert 100.0 <= found.since <= looked_by
    assert end <= found.until <= end + after_s
    assert found.interval_s * max(looks, 1) <= end + after_s - 100.0 + 1e-6
    assert 0.0 <= waits.share(b"f (a.py:1)") <= 1.0


def test_what_only_one_of_two_could_see_is_not_waiting():
    """The py-spy of running threads began when the request was over."""
    lines, waits = Attribution({}), Waits()
    lines.take(looked(500))
    lines.take(a_line(TAG, "raw_decode (json.py:1)", samples=300))

    lines.end(Over(running_by=106.0), waits)

    assert not waits.is_known
    assert waits.share(b"raw_decode (json.py:1)") == 0.0


def test_few_looks_call_nothing_waiting():
    """That it was not seen to run in three looks proves nothing."""
    lines, waits = Attribution({}), Waits()
    lines.take(a_line(TAG, "raw_decode (json.py:1)", samples=15))

    lines.end(Over(), waits)

    assert not waits.is_known
    assert waits.share(b"raw_decode (json.py:1)") == 0.0
