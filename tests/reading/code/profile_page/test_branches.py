# SPDX-License-Identifier: Apache-2.0
"""Stacks as branches: forks stay, frames between them are folded."""

from __future__ import annotations

import json

import pytest
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    EXECUTE,
    LOCK,
    ORM,
    WAITING,
    rebuild_samples,
    session,
)

from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code.profile_page import branches as module
from nova_profiler.reading.code.profile_page.branches import branches_of


def branches_in(*samples):
    tree = StackTree("pyinstrument")
    tree.add(read_session(json.dumps(session(*samples)).encode()))
    return branches_of(tree)


def test_frames_with_the_time_of_their_caller_are_one_branch():
    """Down to the fork; its name is nova's innermost function there."""
    [stem] = branches_in(*rebuild_samples())

    assert stem.label.endswith("servers:_action")
    assert stem.frames == ["webob.dec:__call__", stem.label]
    assert stem.share == pytest.approx(1.0)
    assert [(one.label, round(one.share, 2)) for one in stem.below] == [
        ("nova.compute.api:rebuild", 0.8),
        ("lock.acquire", 0.2),
    ]


def test_times_of_a_branch_are_those_below_it_and_its_own():
    """Each second is in one branch of a fork, and waiting is part of it."""
    [stem] = branches_in(
        ([DISPATCH], 1.0),
        ([DISPATCH, API], 2.0),
        ([DISPATCH, ORM, WAITING], 1.0),
    )

    assert stem.seconds == pytest.approx(4.0)
    assert stem.waiting_s == pytest.approx(1.0)
    assert sum(one.seconds for one in stem.below) == pytest.approx(3.0)


def test_colours():
    """Of nova, of libraries, and of what waits."""
    found = branches_in(
        ([API], 4.0), ([EXECUTE], 3.0), ([LOCK], 2.0), ([ORM, WAITING], 1.0)
    )

    kinds = [one.kind for one in found]
    assert kinds == ["own", "library", "waiting", "waiting"]


def test_the_way_to_most_of_the_time_stands_open():
    """One branch of each fork, as long as it holds a tenth."""
    [stem] = branches_in(
        ([CONTROLLER, API, ORM], 5.0),
        ([CONTROLLER, API, EXECUTE], 3.0),
        ([CONTROLLER, LOCK], 2.0),
    )

    first, second = stem.below
    assert (stem.is_open, first.is_open, second.is_open) == (True, True, False)


def test_small_parts_are_left_out():
    """Less than half a per cent of the time."""
    [only] = branches_in(([API], 1.0), ([ORM], 0.004))

    assert only.label == "nova.compute.api:rebuild"


def test_deep_and_wide_stacks_are_bounded(monkeypatch):
    """Those that fork at each frame, too."""
    monkeypatch.setattr(module, "_MOST_BRANCHES", 30)
    monkeypatch.setattr(module, "_DEEPEST", 5)
    frames = [f"f{n}\x00/a/nova/x.py\x00{n}" for n in range(2000)]
    deep = [(frames[:n], 1.0) for n in range(1, 2000, 10)]

    found = branches_in(*deep, *[([frame], 50.0) for frame in frames[:60]])

    depth, count, todo = 0, 0, [(1, one) for one in found]
    while todo:
        level, one = todo.pop()
        depth, count = max(depth, level), count + 1
        todo += [(level + 1, below) for below in one.below]
    assert depth <= 5
    assert count <= 30


def test_no_time_is_no_branch():
    """An empty profile has none."""
    assert branches_of(StackTree("stacks")) == []
