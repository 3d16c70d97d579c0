# SPDX-License-Identifier: Apache-2.0
"""What was left out is counted by kind, with one example."""

from __future__ import annotations

from nova_profiler.reading.logs.unread import Unread


def test_counts_and_the_first_example():
    """The most frequent kind first."""
    unread = Unread()
    unread.add("rare", "x")
    unread.add("often", b"first \xff \n")
    unread.add("often", b"second", 4)

    assert unread.figures() == [
        {"kind": "often", "count": 5, "example": "first \ufffd"},
        {"kind": "rare", "count": 1, "example": "x"},
    ]
    assert unread.count_of("often") == 5
    assert unread.count_of("never") == 0


def test_parts_add_up():
    """As several processes note what they left out."""
    one, other = Unread(), Unread()
    one.add("a", "one")
    other.add("a", "other", 2)
    other.add("b", "b")

    one.merge(other)

    assert [tuple(kind) for kind in one] == [("a", 3, "one"), ("b", 1, "b")]


def test_memory_is_bounded():
    """Neither long lines nor many kinds pile up."""
    unread = Unread()
    for number in range(1_000):
        unread.add(f"kind {number}", b"x" * 10_000)

    kinds = list(unread)

    assert len(kinds) == 100
    assert max(len(kind.example) for kind in kinds) == 300
