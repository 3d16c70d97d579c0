# SPDX-License-Identifier: Apache-2.0
"""Tests of the frames that name a request."""

from __future__ import annotations

import sys

import pytest

from nova_profiler.capture.profilers.pyspy.request_tags import (
    PREFIX,
    Tag,
    TagPool,
)


def test_a_request_runs_below_a_frame_of_its_tag():
    """The tag is the name of the frame that calls the function."""
    tag = Tag(17)

    code = tag.call(lambda: sys._getframe(1).f_code)

    names = {code.co_name, getattr(code, "co_qualname", code.co_name)}
    assert names == {tag.name} == {f"{PREFIX}17"}


def test_the_trampoline_only_calls_on():
    """Arguments, result and exception pass as they are."""
    tag = Tag(0)

    assert tag.call(divmod, 7, 2) == (3, 1)
    assert tag.call(dict, a=1) == {"a": 1}
    with pytest.raises(ZeroDivisionError):
        tag.call(divmod, 1, 0)


def test_no_two_requests_have_one_tag():
    """A tag is out until it is given back."""
    pool = TagPool(3)

    taken = [pool.take() for _ in range(3)]

    assert len({tag.name for tag in taken}) == 3
    assert pool.left == 0
    assert pool.take() is None


def test_two_pools_have_no_name_in_common():
    """The requests of an engine that ends are no later engine's."""
    names = {TagPool(2).take().name for _ in range(2)}

    assert len(names) == 2


def test_tags_are_lent_again():
    """However many requests there are, the names stay few."""
    pool = TagPool(2)
    names = set()

    for _ in range(100):
        tag = pool.take()
        names.add(tag.name)
        pool.give_back(tag)

    assert len(names) <= pool.size
    assert pool.left == 2
