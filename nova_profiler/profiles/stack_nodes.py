# SPDX-License-Identifier: Apache-2.0
"""The functions of a tree of stacks, and ways through them."""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.profiles.functions import Function


class Node:
    """A function as called by those above; times and samples are its own."""

    __slots__ = (
        "busy_s",
        "children",
        "function",
        "lines",
        "samples",
        "total_s",
        "total_samples",
        "wait_lines",
        "waiting_s",
        "waiting_samples",
    )

    def __init__(self, function: Function) -> None:
        self.function = function
        self.busy_s = 0.0
        self.waiting_s = 0.0
        # Parts of samples, too: a line of code may wait half of its time.
        self.samples = 0.0
        self.waiting_samples = 0.0
        # Work in this and all below it; set by StackTree.totals.
        self.total_s = 0.0
        self.total_samples = 0.0
        # Seconds by the line that was being executed, work only.
        self.lines: dict[int, float] = {}
        # The same of waiting, in this or in what it called.
        self.wait_lines: dict[int, float] = {}
        self.children: dict[Function, Node] = {}

    def add(self, other: Node) -> None:
        """Add the times of *other*, not of what it called."""
        self.busy_s += other.busy_s
        self.waiting_s += other.waiting_s
        self.samples += other.samples
        self.waiting_samples += other.waiting_samples
        for mine, its in (
            (self.lines, other.lines),
            (self.wait_lines, other.wait_lines),
        ):
            for line, seconds in its.items():
                mine[line] = mine.get(line, 0.0) + seconds

    @property
    def line(self) -> int | None:
        """Return the line in which most of the time was spent."""
        return most_of(self.lines)

    @property
    def wait_line(self) -> int | None:
        """Return the line in which most of the waiting was."""
        return most_of(self.wait_lines)


def most_of(lines: dict[int, float]) -> int | None:
    """Return the line that has most of the seconds, None without any."""
    return max(lines, key=lambda line: lines[line]) if lines else None


def walk(root: Node) -> Iterator[tuple[Node, bool]]:
    """Yield each node below *root* on entering and on leaving it.

    Not by recursion: stacks are deeper than that may be.
    """
    todo = [(node, True) for node in root.children.values()]
    while todo:
        node, entered = todo.pop()
        yield node, entered
        if entered:
            todo.append((node, False))
            todo.extend((child, True) for child in node.children.values())


def caller_of(stack: list[Node]) -> Node | None:
    """Return nova's innermost function of *stack*, or else the last."""
    for node in reversed(stack):
        if node.function.is_telling:
            return node
    return stack[-1] if stack else None
