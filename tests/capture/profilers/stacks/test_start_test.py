# SPDX-License-Identifier: Apache-2.0
"""The test at a reader's start: which answers prove it wrong."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.stacks import start_test
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
)
from nova_profiler.capture.profilers.stacks.start_test import (
    Mismatch,
    Unseen,
)

HERE = [("root", "file.py", 1, 2), ("leaf", "file.py", 5, 6)]


def seen(number=1, state=WAITS, is_sure=True, frames=HERE):
    """Return what a reader answers of one slot."""
    return [number, state, is_sure, [list(frame) for frame in frames]]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([seen()], None),
        ([], Unseen),
        ([seen(2)], Unseen),
        ([seen(state=RUNS)], Unseen),
        ([seen(is_sure=False)], Unseen),
        ([seen(is_sure=False, frames=HERE[:1])], Unseen),
        ([seen(frames=HERE[:1])], Mismatch),
        ([seen(frames=[HERE[0], ("other", "file.py", 5, 6)])], Mismatch),
        ([seen(frames=[("root", "file.py", 1, 3), HERE[1]])], Mismatch),
    ],
)
def test_a_stack_that_is_sure_and_wrong_proves_it(answer, error):
    """What a busy machine makes of a thread's state proves nothing."""
    if error is None:
        start_test._check_standing(1, HERE, answer)
        return
    with pytest.raises(error, match=r"saw|not|seems"):
        start_test._check_standing(1, HERE, answer)


def at_work(spin, state, *steps, is_sure=True):
    """Return what a reader answers of a thread at work."""
    names = ["_trampoline", spin, *steps]
    return seen(
        state=state, is_sure=is_sure, frames=[(n, "f", 1, 1) for n in names]
    )


BOTH = [
    at_work("_spin_first", RUNS, "_step_first"),
    at_work("_spin_second", GIL),
]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (BOTH, None),
        (BOTH[:1], Unseen),
        ([], Unseen),
        ([*BOTH, at_work("_spin_first", RUNS, "_step_second")], Mismatch),
        (
            [*BOTH, at_work("_spin_first", RUNS, "x", is_sure=False)],
            Unseen,
        ),
        ([*BOTH, at_work("x", WAITS)], None),
    ],
)
def test_threads_at_work_are_seen_in_each_state(answer, error):
    """Or else the test is made again."""
    if error is None:
        start_test._check_states(answer)
        return
    with pytest.raises(error, match=r"saw|see"):
        start_test._check_states(answer)


def test_a_trial_is_made_again_before_it_fails(monkeypatch):
    """Each time anew; the last failure is the reason."""
    tried = []

    def trial():
        tried.append(None)
        if len(tried) < 3:
            raise Unseen("it did not see it")

    start_test._try_often(trial)

    assert len(tried) == 3
