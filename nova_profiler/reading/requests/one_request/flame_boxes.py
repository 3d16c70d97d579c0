# SPDX-License-Identifier: Apache-2.0
"""The stacks of a request as boxes: callers above, as wide as their time."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.profiles import IN_LINE, WAITING_FOR_GIL
from nova_profiler.profiles.stack_nodes import Node
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.requests.one_request.folding import folded

# Of a picture: smaller parts, and what is deeper, are left out.
_LEAST = 0.001
_MOST_LEVELS = 120
# The widest are in it.
_MOST_BOXES = 1_200
# Callers of the function that fills the picture; outer ones are links alone.
_MOST_CALLERS = 30

# Which time makes a box as wide as it is.
ALL, WORK, WAITS = "", "work", "waits"
TIMES = (ALL, WORK, WAITS)
# What a thread does that has a function on top of its stack.
_STATES = {WAITING_FOR_GIL: "gil", IN_LINE: "in-line"}


class FlameBox(NamedTuple):
    """A function in the picture: shares of its width, a level from above.

    ``number`` names the node to zoom into. ``seconds`` is with all below
    it; ``waiting`` is the share of them in which a thread waited. A caller
    of what the picture shows has ``is_caller``, and is as wide as all.
    """

    number: int
    left: float
    width: float
    level: int
    label: str
    kind: str
    seconds: float
    is_found: bool
    waiting: float = 0.0
    is_caller: bool = False


class Flame(NamedTuple):
    """The picture below one node, which is the first of ``path``'s last.

    ``path`` leads down to it, each with its number. ``found_s`` is the
    time in functions that were searched for, each moment counted once.
    ``left_out`` parts are too small for the picture, or too deep.
    """

    boxes: list[FlameBox]
    path: list[tuple[int, str]]
    seconds: float
    whole_s: float
    found: int
    found_s: float
    left_out: int = 0


class _Place(NamedTuple):
    """Where a node stands; ``is_found`` where it or a caller was found."""

    node: Node
    number: int
    left_s: float
    level: int
    is_found: bool


class _Spans(NamedTuple):
    """Of each node the seconds with all below it, and those of waiting."""

    shown_s: list[float]
    waiting_s: list[float]


def flame_of(
    tree: StackTree,
    at: int = 0,
    find: str = "",
    *,
    is_folded: bool = False,
    time: str = ALL,
) -> Flame:
    """Return the picture of what node *at* called; an unknown one is all.

    Numbers of nodes are those of the same tree, folded or not. *time* is one
    of TIMES: of all, of work alone or of waiting alone.
    """
    order, callers = _numbered(folded(tree.root) if is_folded else tree.root)
    if not 0 <= at < len(order):
        at = 0
    spans = _spans(order, callers, time)
    wanted = find.strip().lower()
    path = _path(order, callers, at)
    boxes = _callers(order, spans, path[:-1], wanted)
    below, found, found_s, left_out = _below(
        order, spans, at, wanted, len(boxes)
    )
    boxes += below
    whole_s = spans.shown_s[0]
    seconds = spans.shown_s[at]
    return Flame(boxes, path, seconds, whole_s, found, found_s, left_out)


def _callers(
    order: list[Node],
    spans: _Spans,
    path: list[tuple[int, str]],
    wanted: str,
) -> list[FlameBox]:
    """Return the callers of what fills the picture, the outermost above."""
    return [
        _box(order, spans, number, _is_found(order[number], wanted))._replace(
            level=level, is_caller=True
        )
        for level, (number, _) in enumerate(path[-_MOST_CALLERS:])
    ]


def _below(
    order: list[Node], spans: _Spans, at: int, wanted: str, first_level: int
) -> tuple[list[FlameBox], int, float, int]:
    """Return the boxes from *at* on, and what was found and left out."""
    numbers = {id(node): number for number, node in enumerate(order)}
    whole = max(1e-9, spans.shown_s[at])
    places: list[_Place] = []
    found, found_s, left_out = 0, 0.0, 0
    todo = [_Place(order[at], at, 0.0, first_level, False)]
    while todo:
        node, number, left_s, level, in_found = todo.pop()
        seconds = spans.shown_s[number]
        has_place = (
            seconds >= _LEAST * whole and level - first_level < _MOST_LEVELS
        )
        if not has_place:
            left_out += seconds > 0
            if not wanted:
                # Nor has anything below it.
                continue
        is_found = _is_found(node, wanted)
        if is_found:
            found += 1
            found_s += 0.0 if in_found else seconds
        if has_place:
            places.append(_Place(node, number, left_s, level, is_found))
        for child in node.children.values():
            below = numbers[id(child)]
            is_inside = in_found or is_found
            todo.append(_Place(child, below, left_s, level + 1, is_inside))
            left_s += spans.shown_s[below]
    if len(places) > _MOST_BOXES:
        left_out += len(places) - _MOST_BOXES
        places.sort(
            key=lambda place: (
                wanted and not _is_found(place.node, wanted),
                -spans.shown_s[place.number],
            )
        )
        del places[_MOST_BOXES:]
    boxes = [
        _box(order, spans, place.number, place.is_found)._replace(
            left=place.left_s / whole,
            width=spans.shown_s[place.number] / whole,
            level=place.level,
        )
        for place in places
    ]
    # As a keyboard goes through them.
    boxes.sort(key=lambda box: (box.level, box.left))
    return boxes, found, found_s, left_out


def _is_found(node: Node, wanted: str) -> bool:
    return bool(wanted) and wanted in _label_of(node).lower()


def _label_of(node: Node) -> str:
    return node.function.label or "all"


def _box(
    order: list[Node], spans: _Spans, number: int, is_found: bool
) -> FlameBox:
    node, seconds = order[number], spans.shown_s[number]
    return FlameBox(
        number,
        0.0,
        1.0,
        0,
        _label_of(node),
        _kind(node),
        seconds,
        is_found,
        spans.waiting_s[number] / seconds if seconds > 0 else 0.0,
    )


def _kind(node: Node) -> str:
    state = _STATES.get(node.function.name)
    if state is not None:
        return state
    if node.waiting_s > node.busy_s and not node.children:
        return "waiting"
    return "own" if node.function.is_own else "library"


def _numbered(root: Node) -> tuple[list[Node], list[int]]:
    """Return all nodes, callers first, and the number of each one's caller.

    Not by recursion: stacks are deeper than that may be.
    """
    order = [root]
    callers = [0]
    for number, node in enumerate(order):
        for child in node.children.values():
            order.append(child)
            callers.append(number)
    return order, callers


def _spans(order: list[Node], callers: list[int], time: str) -> _Spans:
    work = [0.0 if time == WAITS else node.busy_s for node in order]
    waits = [0.0 if time == WORK else node.waiting_s for node in order]
    for number in range(len(order) - 1, 0, -1):
        work[callers[number]] += work[number]
        waits[callers[number]] += waits[number]
    shown = [one + other for one, other in zip(work, waits, strict=True)]
    return _Spans(shown, waits)


def _path(
    order: list[Node], callers: list[int], at: int
) -> list[tuple[int, str]]:
    path = []
    while True:
        path.append((at, _label_of(order[at])))
        if at == 0:
            return path[::-1]
        at = callers[at]
