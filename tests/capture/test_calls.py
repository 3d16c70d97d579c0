# SPDX-License-Identifier: Apache-2.0
"""Calls of one name: what is kept, what is added up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.calls import CallKey, Calls
from nova_profiler.groups import BY_NAME


class Room:
    """As much of a capture as its calls look at."""

    def __init__(self, most: int) -> None:
        self.calls_room = self.errors_room = most


def test_a_key_of_nested_calls_is_its_own():
    """Same group and name, told apart by which of the two it is."""
    key = CallKey("db_api", "get", "nova.db.main.api.get")

    assert key.outermost
    assert not key.nested.outermost
    assert key.nested.nested is key.nested
    assert (key.nested.group, key.nested.label) == (key.group, key.label)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_group_without_names_has_no_rows_in_calls(name):
    """The driver's work beside statements has sums only."""
    assert CallKey(name, "x").is_listed == bool(BY_NAME[name].metric)


def test_a_group_must_be_in_the_table():
    """A hook of an unknown group fails when it is loaded, not in a request."""
    with pytest.raises(KeyError, match="gpu"):
        CallKey("gpu", "launch")


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=20),
    st.lists(st.integers(0, 50), max_size=20),
    st.integers(0, 100),
)
def test_folding_loses_no_figure(chunks, rest, most):
    """Whatever is kept one by one, count, sum and longest are of all."""
    room = Room(most)
    calls = Calls()

    for chunk in chunks:
        calls += [(0.0, float(spent), 2.0) for spent in chunk]
        calls.fold(room)
        assert calls == []
    calls += [(0.0, float(spent), 2.0) for spent in rest]

    spent = [one for chunk in (*chunks, rest) for one in chunk]
    assert calls.totals() == (
        len(spent),
        sum(spent),
        max(spent, default=0.0),
    )
    assert calls.figure() == 2 * len(spent)
    assert calls.kept_count() == len(calls.kept())
    most_kept = most + max(map(len, chunks), default=0) + len(rest)
    assert calls.kept_count() <= most_kept


def test_errors_are_counted_past_the_end_of_their_list():
    """As many are named as calls may be listed."""
    room = Room(3)
    calls = Calls([(0.0, 1.0, 0.0)])

    for number in range(10):
        calls.failed(float(number), "LookupError", room)

    assert calls.failures == 10
    assert [start for start, _ in calls.errors] == [0.0, 1.0, 2.0]


def test_what_most_calls_lack_belongs_to_each_list_alone():
    """The class holds the defaults; a list that has some hides them."""
    failed, other = Calls(), Calls()

    failed.failed(0.0, "LookupError", Room(10))
    failed.batches += 1
    failed.fold(Room(10))

    assert (other.errors, other.failures, other.batches) == (None, 0, 0)
    assert other.tally is None
