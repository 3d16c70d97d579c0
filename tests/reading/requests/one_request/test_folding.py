# SPDX-License-Identifier: Apache-2.0
"""Stacks with libraries folded: the same time in fewer boxes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    LOCK,
    ORM,
    SITE,
    rebuild_samples,
    stacks_session,
    write_session,
)

from nova_profiler.profiles.loading import load
from nova_profiler.reading.requests.one_request.flame_boxes import (
    WAITS,
    WORK,
    flame_of,
)

DEFAULT = f"default\x00{SITE}sqlalchemy/engine/default.py\x001"
RECV = "recv\x00~\x000"
GIL = "[waiting for the GIL]"


def tree_of(tmp_path, *samples):
    """Return the stacks of *samples*, read from a file."""
    path = tmp_path / "a.pyisession"
    path.write_text(json.dumps(stacks_session(*samples, number=len(samples))))
    return load(path)


def labels_of(flame):
    """Return the labels of all boxes, the outermost first."""
    return [box.label for box in flame.boxes]


def test_a_library_is_one_box(tmp_path):
    """With the built-in code that it calls; nova's own functions stay."""
    tree = tree_of(tmp_path, ([DISPATCH, API, ORM, DEFAULT, ORM, RECV], 0.5))

    flame = flame_of(tree, is_folded=True)

    assert labels_of(flame) == [
        "all",
        "webob",
        "nova.compute.api:rebuild",
        "sqlalchemy",
    ]
    assert flame.boxes[-1].seconds == 0.5


def test_what_waits_is_no_part_of_a_library(tmp_path):
    """It keeps its name, its state and its colour."""
    tree = tree_of(
        tmp_path,
        ([API, ORM, LOCK], 0.2),
        ([API, ORM, GIL], 0.3),
        ([API, ORM], 0.5),
    )

    flame = flame_of(tree, is_folded=True)

    kinds = {box.label: box.kind for box in flame.boxes}
    assert kinds["lock.acquire"] == "waiting"
    assert kinds[GIL] == "gil"
    [library] = [box for box in flame.boxes if box.label == "sqlalchemy"]
    assert round(library.waiting, 3) == 0.5


def test_work_and_waiting_can_be_looked_at_alone(tmp_path):
    """Each has the widths of its own time."""
    tree = load(write_session(tmp_path / "a.pyisession", *rebuild_samples()))

    for time, seconds, has_lock in ((WORK, 0.8, False), (WAITS, 0.2, True)):
        flame = flame_of(tree, time=time)
        assert round(flame.seconds, 3) == seconds
        assert ("lock.acquire" in labels_of(flame)) is has_lock


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [DISPATCH, CONTROLLER, API, ORM, DEFAULT, LOCK, RECV, GIL]
            ),
            min_size=1,
            max_size=12,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_folding_keeps_all_time(tmp_path_factory, stacks):
    """Whatever the stacks are; and no more boxes than without it."""
    folder = tmp_path_factory.mktemp("stacks")
    tree = tree_of(folder, *((stack, 0.125) for stack in stacks))

    plain, folded = flame_of(tree), flame_of(tree, is_folded=True)

    assert folded.seconds == plain.seconds
    assert len(folded.boxes) <= len(plain.boxes)
    for time in (WORK, WAITS):
        assert (
            flame_of(tree, is_folded=True, time=time).seconds
            == flame_of(tree, time=time).seconds
        )
