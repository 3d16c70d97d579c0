# SPDX-License-Identifier: Apache-2.0
"""Stacks as boxes: as wide as their time, each below its caller."""

from __future__ import annotations

from profile_builders import rebuild_samples, write_session

from nova_profiler.profiles.loading import load
from nova_profiler.reading.requests.one_request.flame_boxes import flame_of


def tree_of(tmp_path, samples):
    """Return the stacks of *samples*, read from a file."""
    return load(write_session(tmp_path / "a.pyisession", *samples))


def test_boxes_are_as_wide_as_their_time(tmp_path):
    """With waiting; callers above."""
    flame = flame_of(tree_of(tmp_path, rebuild_samples()))

    boxes = {box.label: box for box in flame.boxes}
    api = boxes["nova.compute.api:rebuild"]
    assert (api.level, api.kind, round(api.width, 3)) == (3, "own", 0.8)
    assert boxes["lock.acquire"].kind == "waiting"
    assert round(boxes["lock.acquire"].left, 3) in (0.0, 0.8)
    assert round(flame.whole_s, 3) == 1.0


def test_a_function_fills_the_picture_below_it(tmp_path):
    """Its callers stay above it, and the path leads back to all."""
    tree = tree_of(tmp_path, rebuild_samples())
    api = next(
        box
        for box in flame_of(tree).boxes
        if box.label.endswith("api:rebuild")
    )

    inside = flame_of(tree, api.number)

    own = inside.boxes[api.level]
    assert (own.label, own.width, own.is_caller) == (api.label, 1.0, False)
    callers = inside.boxes[: api.level]
    assert [box.is_caller for box in callers] == [True] * 3
    assert [box.label for box in callers] == [
        "all",
        "webob.dec:__call__",
        "nova.api.openstack.compute.servers:_action",
    ]
    assert [label for _, label in inside.path][0] == "all"
    assert inside.path[-1] == (api.number, api.label)
    assert flame_of(tree, 10**9).path == [(0, "all")]


def test_what_is_found_counts_each_moment_once(tmp_path):
    """A recursion is in itself."""
    frame = "walk\x00/app/walk.py\x001"
    samples = [([frame] * 300, 0.01)] * 10

    flame = flame_of(tree_of(tmp_path, samples), find="WALK")

    assert flame.found == 300
    assert round(flame.found_s, 3) == 0.1
    assert max(box.level for box in flame.boxes) < 300
