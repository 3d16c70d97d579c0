# SPDX-License-Identifier: Apache-2.0
"""The stacks of both sides as one picture: what takes longer, and what less.

A box is as wide as the mean of both sides, so that what only one of them has
is there, too.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stack_nodes import Node
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.web.together.chains import without_chains

# Of a picture: smaller parts, and what is deeper, are left out.
_LEAST = 0.002
_MOST_LEVELS = 120
# Steps of the colour, and the share of a mean request from which on each is
# used. A smaller change has none.
_LEVELS = (0.005, 0.02, 0.05, 0.1, 0.2)


class DifferenceBox(NamedTuple):
    """A function in the picture: shares of its width, a level from above.

    ``a_ms`` and ``b_ms`` are of a mean request, waiting included. ``step`` is
    0 for no change to speak of, up to 5; below 0 for less time.
    """

    number: int
    left: float
    width: float
    level: int
    label: str
    a_ms: float
    b_ms: float
    step: int

    @property
    def change_ms(self) -> float:
        """Return by how much longer side b takes."""
        return self.b_ms - self.a_ms


class DifferenceFlame(NamedTuple):
    """The picture below one node; ``path`` leads to it, with numbers."""

    boxes: list[DifferenceBox]
    path: list[tuple[int, str]]


class _Both:
    """A function in the stacks of both sides; times are its own at first."""

    __slots__ = ("a_ms", "b_ms", "caller", "children", "function", "number")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.number = 0
        self.caller = 0
        self.a_ms = 0.0
        self.b_ms = 0.0
        self.children: dict[Function, _Both] = {}

    def add(self, other: _Both) -> None:
        """Add the times of *other*."""
        self.a_ms += other.a_ms
        self.b_ms += other.b_ms

    @property
    def label(self) -> str:
        """Return what its box is called."""
        return self.function.label or "all"

    @property
    def width_ms(self) -> float:
        """Return the mean of both sides."""
        return (self.a_ms + self.b_ms) / 2


class _Place(NamedTuple):
    both: _Both
    left_ms: float
    level: int


def difference_flame_of(
    a: StackTree,
    a_requests: int,
    b: StackTree,
    b_requests: int,
    at: int = 0,
    *,
    whole: bool = False,
) -> DifferenceFlame:
    """Return the picture below node *at*; an unknown one is all.

    Without *whole*, functions that only pass calls on are left out.
    """
    root = _joined(a, max(1, a_requests), b, max(1, b_requests))
    if not whole:
        root = without_chains(root, _width_of, _Both)
    order = _added_up(root)
    if not 0 <= at < len(order):
        at = 0
    whole_ms = max(1e-6, order[at].width_ms)
    scale_ms = max(1e-6, order[0].width_ms)
    boxes = []
    todo = [_Place(order[at], 0.0, 0)]
    while todo:
        both, left_ms, level = todo.pop()
        width = both.width_ms / whole_ms
        if width < _LEAST or level >= _MOST_LEVELS:
            continue
        boxes.append(
            DifferenceBox(
                both.number,
                left_ms / whole_ms,
                width,
                level,
                both.label,
                both.a_ms,
                both.b_ms,
                _step((both.b_ms - both.a_ms) / scale_ms),
            )
        )
        for child in both.children.values():
            todo.append(_Place(child, left_ms, level + 1))
            left_ms += child.width_ms
    return DifferenceFlame(boxes, _path(order, at))


def _joined(
    a: StackTree, a_requests: int, b: StackTree, b_requests: int
) -> _Both:
    """Return both trees as one, each node with its own times."""
    top = _Both(a.root.function)
    todo: list[tuple[_Both, Node | None, Node | None]] = [
        (top, a.root, b.root)
    ]
    for both, in_a, in_b in todo:
        both.a_ms = _own_ms(in_a) / a_requests
        both.b_ms = _own_ms(in_b) / b_requests
        of_a = {} if in_a is None else in_a.children
        of_b = {} if in_b is None else in_b.children
        for function in {**of_a, **of_b}:
            child = both.children[function] = _Both(function)
            todo.append((child, of_a.get(function), of_b.get(function)))
    return top


def _added_up(root: _Both) -> list[_Both]:
    """Return all nodes, callers first, each with the times below it.

    Not by recursion: stacks are deeper than that may be.
    """
    order = [root]
    for number, both in enumerate(order):
        both.number = number
        for child in both.children.values():
            child.caller = number
            order.append(child)
    for both in reversed(order[1:]):
        order[both.caller].add(both)
    return order


def _width_of(both: _Both) -> float:
    return both.width_ms


def _own_ms(node: Node | None) -> float:
    return 0.0 if node is None else 1000 * (node.busy_s + node.waiting_s)


def _step(change: float) -> int:
    steps = sum(abs(change) >= least for least in _LEVELS)
    return steps if change > 0 else -steps


def _path(order: list[_Both], at: int) -> list[tuple[int, str]]:
    path = []
    while True:
        path.append((at, order[at].label))
        if at == 0:
            return path[::-1]
        at = order[at].caller
