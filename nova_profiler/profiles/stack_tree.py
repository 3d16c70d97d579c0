# SPDX-License-Identifier: Apache-2.0
"""Samples as a tree: each function under the one that called it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nova_profiler.profiles import WRITERS
from nova_profiler.profiles.frames import (
    STATES,
    Frames,
    is_elsewhere,
    is_waiting,
)
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.session_files import (
    MOST_FRAMES,
    Place,
    Session,
)
from nova_profiler.profiles.stack_nodes import (
    Node,
    caller_of,
    most_of,
    walk,
)
from nova_profiler.profiles.summaries import MOST, SAMPLES, Row, Step, Wait
from nova_profiler.profiles.unseen_time import Shared, share_out

# Bounds what thousands of profiles, or one made to be silly, can take. Past
# it a stack ends at the deepest function that is there already.
MOST_NODES = 300_000


class _Reached(NamedTuple):
    """A place in a session, and the node that it is in the tree."""

    place: Place
    node: Node
    line: int | None
    is_cut: bool


class StackTree:
    """The samples of one request, or of many added up."""

    kind = SAMPLES

    def __init__(self, engine: str, most_nodes: int | None = None) -> None:
        """*most_nodes* is how many functions have room, or else MOST_NODES."""
        self.engine = engine
        self._most_nodes = most_nodes
        self.root = Node(Function("", 0, ""))
        self.profiles = 0
        self.cut = 0
        self.busy_s = 0.0
        self.waiting_s = 0.0
        self.elsewhere_s = 0.0
        facts = WRITERS[engine]
        self.frames = Frames(has_first_lines=facts.has_first_lines)
        self._by_name = not facts.has_states
        self.busy_number = 0.0
        # By state: asked for often, and a walk over all nodes is dear.
        self._in_states = dict.fromkeys(STATES, 0.0)
        self._samples = 0.0
        self._nodes = 0
        # What was between looks, and stands elsewhere by now.
        self.shared = Shared()

    @property
    def number(self) -> int:
        """Return how many samples there are, other requests' left out."""
        return round(self._samples)

    @property
    def sample_s(self) -> float:
        """Return what a sample stands for in the mean."""
        if self._samples <= 0:
            return 0.0
        return (self.busy_s + self.waiting_s) / self._samples

    def add(self, session: Session) -> None:
        """Add the samples of one session."""
        self.profiles += 1
        most = MOST_FRAMES if self._most_nodes is None else self._most_nodes
        root, cut = session.trie(most)
        self.cut += cut + session.cut
        self._add_own(root, self.root, waits=False)
        reached = [_Reached(root, self.root, None, False)]
        for at in reached:
            for text, below in at.place.below.items():
                reached.append(self._enter(at, text, below))
        # The innermost first, so that each has all that is below it.
        for place, node, line, _ in reversed(reached):
            place.work_s += sum(one.work_s for one in place.below.values())
            place.wait_s += sum(one.wait_s for one in place.below.values())
            if line is None:
                continue
            for lines, seconds in (
                (node.lines, place.work_s),
                (node.wait_lines, place.wait_s),
            ):
                if seconds:
                    lines[line] = lines.get(line, 0.0) + seconds
        self.frames.forget(MOST_NODES)

    def _enter(self, at: _Reached, text: str, below: Place) -> _Reached:
        """Return where the frame *text* leads to; adds what ended there."""
        if is_elsewhere(text):
            self.elsewhere_s += below.seconds
            return at._replace(place=below, line=None)
        node, line, is_cut = at.node, None, at.is_cut
        function = node.function
        frame = self.frames.frame(text)
        if frame is not None:
            function = frame.function
            child = None if is_cut else self._child(node, function)
            if child is None:
                is_cut = True
            else:
                node, line = child, frame.line
        if below.samples or below.seconds:
            # Few places: most only lead to others.
            waits = is_waiting(text) or function.waits(self._by_name)
            self._add_own(below, node, waits=waits)
        return _Reached(below, node, line, is_cut)

    def _add_own(self, place: Place, node: Node, *, waits: bool) -> None:
        self._samples += place.samples
        if node.function.name in self._in_states:
            self._in_states[node.function.name] += place.seconds
        if waits:
            node.waiting_s += place.seconds
            node.waiting_samples += place.samples
            self.waiting_s += place.seconds
            place.wait_s = place.seconds
        else:
            node.busy_s += place.seconds
            node.samples += place.samples
            self.busy_number += place.samples
            self.busy_s += place.seconds
            place.work_s = place.seconds

    def join(self, other: StackTree) -> None:
        """Add all that *other* has."""
        self.profiles += other.profiles
        self.cut += other.cut
        self.busy_s += other.busy_s
        self.waiting_s += other.waiting_s
        self.elsewhere_s += other.elsewhere_s
        self.busy_number += other.busy_number
        self._samples += other._samples
        self.shared = self.shared.plus(other.shared)
        for state, seconds in other._in_states.items():
            self._in_states[state] += seconds
        self.frames.join(other.frames)
        todo = [(self.root, other.root)]
        while todo:
            node, its = todo.pop()
            node.add(its)
            for function, child in its.children.items():
                # Past the bound it all stays with the caller.
                todo.append((self._child(node, function) or node, child))

    def _child(self, node: Node, function: Function) -> Node | None:
        """Return the node of a callee, None where there may be no more."""
        child = node.children.get(function)
        if child is None:
            most = self._most_nodes
            if self._nodes >= (MOST_NODES if most is None else most):
                self.cut += 1
                return None
            self._nodes += 1
            child = node.children[function] = Node(function)
        return child

    def share_out_unseen(self) -> None:
        """Give what was between looks to the places that looks found.

        A guess that is good for many requests, and that would be one for a
        single request: nothing is done there.
        """
        if self.profiles > 1:
            shared = share_out(self.root, self._in_states)
            self.shared = self.shared.plus(shared)
            # A share of the work rests on those with a place.
            self.busy_number -= shared.work_samples

    def time_in(self, state: str) -> float:
        """Return the seconds in one of STATES."""
        return self._in_states[state]

    def totals(self) -> Node:
        """Return the root, the totals of all nodes brought up to date."""
        order = [self.root]
        for node in order:
            node.total_s = node.busy_s
            node.total_samples = node.samples
            order.extend(node.children.values())
        for node in reversed(order):
            for child in node.children.values():
                node.total_s += child.total_s
                node.total_samples += child.total_samples
        return self.root

    def paths(self) -> Iterator[list[Node]]:
        """Yield the way down to each node that has time of its own."""
        path: list[Node] = []
        for node, entered in walk(self.root):
            if not entered:
                path.pop()
                continue
            path.append(node)
            if node.busy_s or node.waiting_s:
                yield list(path)

    def rows(self) -> list[Row]:
        """Return each function that was at work, by its own time."""
        figures: dict[Function, list[float]] = {}
        inside: dict[Function, int] = {}
        for node, entered in walk(self.totals()):
            function = node.function
            if not entered:
                inside[function] -= 1
                continue
            # Of a recursion only the outermost call is the function's time.
            depth = inside.get(function, 0)
            inside[function] = depth + 1
            if not node.total_s:
                continue
            row = figures.setdefault(function, [0.0, 0.0, 0.0, 0.0])
            row[1] += node.busy_s
            row[3] += node.samples
            if not depth:
                row[0] += node.total_samples
                row[2] += node.total_s
        rows = [
            Row(self.frames.placed(function), *_whole(number), *seconds)
            for function, (number, *seconds) in figures.items()
        ]
        return sorted(rows, key=lambda row: (-row.self_s, -row.total_s))

    def waits(self) -> list[Wait]:
        """Return what was waited in, and nova's function above it."""
        found: dict[tuple[Function, Function | None], list[float]] = {}
        lines: dict[tuple[Function, Function | None], dict[int, float]] = {}
        stack: list[Node] = []
        for node, entered in walk(self.root):
            if not entered:
                stack.pop()
                continue
            if node.waiting_s:
                caller = caller_of(stack)
                key = (
                    node.function,
                    None if caller is None else caller.function,
                )
                row = found.setdefault(key, [0.0, 0.0])
                row[0] += node.waiting_samples
                row[1] += node.waiting_s
                line = None if caller is None else caller.wait_line
                if line is not None:
                    of_key = lines.setdefault(key, {})
                    of_key[line] = of_key.get(line, 0.0) + node.waiting_s
            stack.append(node)
        placed = self.frames.placed
        waits = [
            Wait(
                placed(function),
                None if caller is None else placed(caller),
                round(number),
                seconds,
                most_of(lines.get((function, caller), {})),
            )
            for (function, caller), (number, seconds) in found.items()
        ]
        return sorted(waits, key=lambda wait: -wait.seconds)

    def hot_path(self) -> list[Step]:
        """Return the path down to what still holds most of the work."""
        node = self.totals()
        whole = node.total_s
        steps: list[Step] = []
        while node.children and whole > 0:
            node = max(node.children.values(), key=lambda one: one.total_s)
            share = node.total_s / whole
            if share < MOST:
                break
            function = self.frames.placed(node.function)
            steps.append(Step(function, node.line, node.total_s, share))
        return steps


def _whole(samples: float) -> tuple[int, int]:
    number = round(samples)
    return number, number
