# SPDX-License-Identifier: Apache-2.0
"""Stacks as a tree to open and close: callers above, most time first.

Frames that hold the same time as the one that called them are one branch:
nova's stacks are a hundred frames deep and fork in a few.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stack_nodes import Node
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.screen.terminal import printable

# Of the whole time; what is less, deeper or past the number is left out.
LEAST = 0.005
_MOST_BRANCHES = 400
_DEEPEST = 40
# A callee with this part of its caller's time is of the same branch.
_SAME = 0.98
_LONGEST_NAME = 300
_MOST_FRAMES = 60
# The way to where most of the time is stands open.
_OPEN = 0.1


class Branch(NamedTuple):
    """Frames from a fork to the next; times are seconds with all below.

    ``label`` and ``place`` are of the innermost of ``frames`` that nova's
    developers know, or else of the last.
    """

    label: str
    place: str
    kind: str
    seconds: float
    waiting_s: float
    share: float
    frames: list[str]
    more_frames: int
    below: list[Branch]
    is_open: bool


class _Times(NamedTuple):
    seconds: float
    waiting_s: float


def branches_of(tree: StackTree) -> list[Branch]:
    """Return the branches below the root, the largest first."""
    times = _times(tree.root)
    whole = times[id(tree.root)].seconds
    if whole <= 0:
        return []
    room = [_MOST_BRANCHES]
    return _below(tree, tree.root, times, whole, room, 0)


def _below(
    tree: StackTree,
    node: Node,
    times: dict[int, _Times],
    whole: float,
    room: list[int],
    depth: int,
) -> list[Branch]:
    """Return the branches that *node* called; *room* is what is left."""
    if depth >= _DEEPEST:
        return []
    found = sorted(
        node.children.values(), key=lambda one: -times[id(one)].seconds
    )
    branches: list[Branch] = []
    for child in found:
        if times[id(child)].seconds < LEAST * whole or room[0] <= 0:
            break
        room[0] -= 1
        last, functions = _through(child, times)
        below = _below(tree, last, times, whole, room, depth + 1)
        is_first = bool(below) and not any(one.below for one in branches)
        is_open = is_first and times[id(child)].seconds >= _OPEN * whole
        branches.append(
            Branch(
                *_names(tree, functions),
                _kind(functions[-1], times[id(child)]),
                *times[id(child)],
                times[id(child)].seconds / whole,
                *_frames(functions),
                below,
                is_open,
            )
        )
    return branches


def _through(
    node: Node, times: dict[int, _Times]
) -> tuple[Node, list[Function]]:
    """Return the last frame of the branch of *node*, and all functions."""
    functions = [node.function]
    while node.children:
        largest = max(
            node.children.values(), key=lambda one: times[id(one)].seconds
        )
        if times[id(largest)].seconds < _SAME * times[id(node)].seconds:
            break
        node = largest
        functions.append(node.function)
    return node, functions


def _names(tree: StackTree, functions: list[Function]) -> tuple[str, str]:
    telling = [one for one in functions if one.is_telling]
    function = tree.frames.placed((telling or functions)[-1])
    return (
        printable(function.label, _LONGEST_NAME),
        printable(function.place, _LONGEST_NAME),
    )


def _frames(functions: list[Function]) -> tuple[list[str], int]:
    names = [printable(one.label, _LONGEST_NAME) for one in functions]
    return names[-_MOST_FRAMES:], len(names[:-_MOST_FRAMES])


def _kind(function: Function, times: _Times) -> str:
    if function.is_wait or times.waiting_s >= _SAME * times.seconds:
        return "waiting"
    return "own" if function.is_own else "library"


def _times(root: Node) -> dict[int, _Times]:
    """Return each node's time with all below it, and what waits of it."""
    order = [root]
    for node in order:
        order.extend(node.children.values())
    times: dict[int, _Times] = {}
    for node in reversed(order):
        below = [times[id(child)] for child in node.children.values()]
        waiting_s = node.waiting_s + sum(one.waiting_s for one in below)
        seconds = node.busy_s + node.waiting_s
        seconds += sum(one.seconds for one in below)
        times[id(node)] = _Times(seconds, waiting_s)
    return times
