# SPDX-License-Identifier: Apache-2.0
"""Call paths, and which calls are believed."""

from __future__ import annotations

from nova_profiler.capture.profilers.stacks.reader import call_paths
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Code


def test_a_path_has_its_frames_from_the_outermost_on():
    """Without the root, which is no frame."""
    outer = Path(Path(None), 1, 0, Code(b""))
    inner = Path(outer, 2, 0, Code(b""))

    assert inner.frames() == [outer, inner]


def test_a_call_is_believed_once_it_was_seen_often_enough():
    """Not at once, and not as one of hundreds of others."""
    calls = Calls()
    calls.note([(1, 2)])
    calls.note([(1, 2)])
    assert not calls.is_known(1, 2)

    calls.note([(1, 2)])
    assert calls.is_known(1, 2)
    assert not calls.is_known(3, 2)

    for _ in range(1000):
        calls.note([(4, 2)])
    assert not calls.is_known(1, 2)


def test_a_call_is_doubtful_where_the_callee_was_seen_below_others_only():
    """A function that was never seen is new, by any caller."""
    calls = Calls()
    assert not calls.is_doubtful(1, 2)

    calls.note([(1, 2)])
    assert calls.is_doubtful(3, 2)
    assert not calls.is_doubtful(1, 2)
    assert not calls.is_doubtful(2, 3)


def test_a_call_of_few_glimpses_is_doubtful():
    """Where both copies were wrong alike, as may be a few in a hundred."""
    calls = Calls()
    calls.glimpse([(1, 2)])
    assert not calls.is_doubtful(1, 2)

    calls.glimpse([(1, 2)] * 10)
    calls.glimpse([(3, 2)])
    assert calls.is_doubtful(3, 2)
    assert not calls.is_doubtful(1, 2)

    calls.forget_of({2})
    calls.glimpse([(3, 2)])
    assert not calls.is_doubtful(3, 2)


def test_calls_are_bounded(monkeypatch):
    """Past that many, what was learnt is forgotten."""
    monkeypatch.setattr(call_paths, "_MOST_PAIRS", 10)
    calls = Calls()
    for caller in range(100):
        for _ in range(3):
            calls.note([(caller, 1)])

    assert calls.is_known(99, 1)
    assert not calls.is_known(1, 1)
