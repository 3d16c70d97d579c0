# SPDX-License-Identifier: Apache-2.0
"""Two walks of one copy, and what they have in common."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.stacks.reader.stack.walks import (
    Torn,
    Walk,
    common_part,
    is_alike,
    with_frames,
)

MARK, F, G, H = (100, 1, 0), (200, 2, 0), (300, 3, 0), (400, 4, 7)


def test_a_walk_with_less_kept_has_its_frames_and_its_mark():
    """As if it had gone on to where the stack begins."""
    walk = Walk([H, G], 2, 0, 0)

    assert with_frames(walk, 1, [MARK, F]) == Walk([H, G, F], 1, 0, 0)
    assert with_frames(walk, 0, [MARK, F]) == Walk([H, G, F, MARK], 0, 0, 1)
    assert with_frames(walk, 2, [MARK, F]) == walk


def test_walks_are_alike_where_only_the_last_frame_went_on():
    """Its callers stand where they were."""
    one = Walk([H, G], 1, 0, 0)

    assert is_alike(one, Walk([(400, 4, 9), G], 1, 0, 0))
    assert is_alike(Walk([], 1, 0, 0), Walk([], 1, 0, 0))
    assert not is_alike(one, Walk([H, (300, 3, 9)], 1, 0, 0))
    assert not is_alike(one, Walk([H, G], 2, 0, 0))
    assert not is_alike(one, Walk([(400, 5, 7), G], 1, 0, 0))
    assert not is_alike(one, Walk([G], 1, 0, 0))


def test_what_both_have_is_kept_from_the_outermost_on():
    """And nothing is no stack."""
    one, two = Walk([H, G, MARK], 0, 0, 1), Walk([F, G, MARK], 0, 0, 1)

    assert common_part(one, two) == Walk([G, MARK], 0, 0, 1)
    assert common_part(Walk([H], 2, 0, 0), Walk([F], 2, 0, 0)).fresh == []
    with pytest.raises(Torn):
        common_part(Walk([MARK], 0, 0, 1), Walk([F], 0, 0, 2))
