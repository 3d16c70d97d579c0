# SPDX-License-Identifier: Apache-2.0
"""Stacks without the libraries and decorators that only pass a call on.

A request of Nova goes through dozens of those, all as wide as the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from nova_profiler.profiles.functions import Function

# What passes on at least this part of its time is left out.
_PASSED_ON = 0.98


class Stack(Protocol):
    """A function with what it called, as trees of stacks have it."""

    function: Function

    @property
    def children(self: _S) -> dict[Function, _S]:
        """Return the functions called."""

    def add(self: _S, other: _S) -> None:
        """Add the times of *other*, not of what it called."""


_S = TypeVar("_S", bound=Stack)


def without_chains(
    root: _S, own_time: Callable[[_S], float], new: Callable[[Function], _S]
) -> _S:
    """Return the stacks of *root* without functions that pass calls on.

    These are others than Nova's own, and decorators, that have nearly all of
    their time in one function that they called. What they took themselves
    counts for their caller, so that times add up to the same.
    """
    totals = _totals(root, own_time)
    top = new(root.function)
    top.add(root)
    todo = [(root, top)]
    while todo:
        node, target = todo.pop()
        callees = list(node.children.values())
        # Those that come up in place of what is left out are looked at, too.
        for child in callees:
            if _passes_on(child, totals):
                target.add(child)
                callees.extend(child.children.values())
                continue
            below = target.children.get(child.function)
            if below is None:
                below = target.children[child.function] = new(child.function)
            below.add(child)
            todo.append((child, below))
    return top


def _passes_on(node: _S, totals: dict[int, float]) -> bool:
    if node.function.is_telling or node.function.waits_on_top:
        return False
    most = max((totals[id(one)] for one in node.children.values()), default=0)
    return 0 < totals[id(node)] * _PASSED_ON <= most


def _totals(root: _S, own_time: Callable[[_S], float]) -> dict[int, float]:
    """Return the time of each node with all below it.

    Not by recursion: stacks are deeper than that may be.
    """
    order = [root]
    for node in order:
        order.extend(node.children.values())
    totals: dict[int, float] = {}
    for node in reversed(order):
        totals[id(node)] = own_time(node) + sum(
            totals[id(child)] for child in node.children.values()
        )
    return totals
