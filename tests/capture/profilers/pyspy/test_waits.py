# SPDX-License-Identifier: Apache-2.0
"""Which lines of code wait, learnt from all requests."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.pyspy import waits as module
from nova_profiler.capture.profilers.pyspy.waits import Waits

SEEN = [(b"recv (socket.py:7)", 1000), (b"loads (json.py:3)", 1000)]
RAN = [(b"loads (json.py:3)", 250)]


def test_a_line_that_never_runs_waits():
    """Seen among all threads, not among those that run."""
    waits = Waits()

    waits.compare(SEEN, RAN, 4.0)

    assert waits.share(b"recv (socket.py:7)") > 0.98
    assert waits.share(b"loads (json.py:3)") < 0.02


def test_a_line_seldom_seen_is_like_its_function():
    """One sample of a line proves next to nothing."""
    waits = Waits()

    waits.compare([*SEEN, (b"loads (json.py:4)", 1)], RAN, 4.0)

    assert waits.share(b"loads (json.py:4)") < 0.3
    assert waits.share(b"unheard (of.py:1)") == pytest.approx(0.5, abs=0.01)


def test_what_was_seen_long_ago_fades(monkeypatch):
    """The lines known stay few, however long the process runs."""
    monkeypatch.setattr(module, "MAX_LEAVES", 10)
    waits = Waits()

    for number in range(1000):
        waits.seen(b"f (a.py:%d)" % number, 1)

    assert len(waits._lines) <= 10


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
    """Few looks are all that is known of a quiet worker."""
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
