# SPDX-License-Identifier: Apache-2.0
"""The picture of two sides' stacks has both times of each function."""

from __future__ import annotations

import pytest
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    EXECUTE,
    ORM,
    write_session,
)

from nova_profiler.profiles.loading import load
from nova_profiler.web.compare.flame import difference_flame_of

BELOW = [DISPATCH, CONTROLLER]


def tree(tmp_path, name, *samples):
    """Return the tree of *samples*."""
    return load(write_session(tmp_path / f"{name}.pyisession", *samples))


@pytest.fixture
def sides(tmp_path):
    a = tree(
        tmp_path,
        "a",
        ([*BELOW, API, ORM], 0.6),
        ([*BELOW, API, EXECUTE], 0.4),
    )
    b = tree(
        tmp_path,
        "b",
        ([*BELOW, API, ORM], 2.4),
        ([*BELOW, EXECUTE], 0.4),
    )
    return a, 1, b, 2


def by_label(flame):
    """Return boxes by the end of their labels."""
    return {box.label.rpartition(":")[2]: box for box in flame.boxes}


def test_times_are_of_a_mean_request(sides):
    """What takes longer has a step above 0, what takes less one below."""
    boxes = by_label(difference_flame_of(*sides))

    assert boxes["all"].a_ms == pytest.approx(1000.0)
    assert boxes["all"].b_ms == pytest.approx(1400.0)
    orm = boxes["instances"]
    assert (round(orm.a_ms), round(orm.b_ms), orm.step) == (600, 1200, 5)
    assert orm.width == pytest.approx(900 / 1200)


def test_what_one_side_lacks_is_there(sides):
    """With no time on that side."""
    flame = difference_flame_of(*sides)
    found = [
        (round(box.a_ms), round(box.b_ms), box.step < 0)
        for box in flame.boxes
        if box.label.endswith("do_execute")
    ]

    assert sorted(found) == [(0, 200, False), (400, 0, True)]


def test_boxes_stay_within_their_callers(sides):
    """Side by side."""
    flame = difference_flame_of(*sides, whole=True)

    for level in range(6):
        row = sorted(box for box in flame.boxes if box.level == level)
        row.sort(key=lambda box: box.left)
        for one, other in zip(row, row[1:], strict=False):
            assert one.left + one.width <= other.left + 1e-9
        assert sum(box.width for box in row) <= 1 + 1e-9


def test_a_box_leads_into_it(sides):
    """The path leads back; an unknown number is all."""
    flame = difference_flame_of(*sides)
    api = by_label(flame)["rebuild"]

    inside = difference_flame_of(*sides, api.number)

    assert inside.boxes[0].label == api.label
    assert inside.boxes[0].width == 1.0
    assert [label for _, label in inside.path][0] == "all"
    assert difference_flame_of(*sides, 999_999) == flame


def test_functions_that_pass_on_are_left_out(sides):
    """But not where all are asked for."""
    short = by_label(difference_flame_of(*sides))
    whole = by_label(difference_flame_of(*sides, whole=True))

    assert "__call__" not in short
    assert "__call__" in whole
