# SPDX-License-Identifier: Apache-2.0
"""A profile as a page of HTML: its tables, and its stacks as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import Node, StackTree
from nova_profiler.profiles.summaries import Step
from nova_profiler.reading.code import hot_path as figures
from nova_profiler.reading.code.certainty import notes_of, share_in
from nova_profiler.reading.screen.html_pages import rendered
from nova_profiler.reading.screen.terminal import (
    ms_text,
    printable,
    share_text,
)

# The picture leaves out smaller parts of the whole time.
_LEAST = 0.0005
_MOST_ROWS = 100


class _Head(NamedTuple):
    text: str
    number: bool = False


class _Table(NamedTuple):
    title: str
    heads: Sequence[_Head]
    rows: Sequence[Sequence[str]]


def page_of(profile: Profile, title: str, notes: Sequence[str] = ()) -> str:
    """Return the page; *notes* are what is missing or doubtful in it."""
    steps = figures.steps_of(profile)
    tables = (_path(steps), _functions(profile), _waits(profile))
    return rendered(
        "profile.html",
        title=printable(title),
        sentence=f"{profile.engine}: {figures.sentence_of(profile)}",
        hot=_hot(figures.hot_function(steps)),
        notes=[*map(printable, notes), *notes_of(profile)],
        tables=[table for table in tables if table.rows],
        nodes=_nodes(profile) if isinstance(profile, StackTree) else None,
        least=share_text(_LEAST),
    )


def _hot(step: Step | None) -> dict[str, str] | None:
    if step is None:
        return None
    where = _place(step.function)
    if step.line:
        where += f", mostly in line {step.line}"
    return {
        "label": _label(step.function),
        "share": share_text(step.share),
        "where": where,
    }


def _path(steps: Sequence[Step]) -> _Table:
    return _Table(
        "Hot path",
        [_Head("cum %", True), _Head("function"), _Head("where")],
        [
            (
                share_text(step.share),
                _label(step.function),
                _place(step.function),
            )
            for step in figures.main_steps(steps)
        ],
    )


def _functions(profile: Profile) -> _Table:
    return _Table(
        "By own time",
        [
            _Head("tot %", True),
            _Head("own ms", True),
            _Head("total ms", True),
            _Head(profile.kind, True),
            _Head("function"),
            _Head("where"),
        ],
        [
            (
                share_text(share_in(profile, row.self_s)),
                ms_text(1000 * row.self_s),
                ms_text(1000 * row.total_s),
                figures.number_text(row),
                _label(row.function),
                _place(row.function),
            )
            for row in profile.rows()[:_MOST_ROWS]
        ],
    )


def _waits(profile: Profile) -> _Table:
    return _Table(
        "Waiting",
        [_Head("ms", True), _Head("in"), _Head("for"), _Head("where")],
        [
            (
                ms_text(1000 * wait.seconds),
                _label(wait.function),
                "" if wait.caller is None else _label(wait.caller),
                "" if wait.caller is None else _place(wait.caller),
            )
            for wait in profile.waits()[:_MOST_ROWS]
        ],
    )


def _nodes(tree: StackTree) -> dict[str, Any]:
    """Return the tree for the page's script, as a flat list.

    JSON and browsers limit the depth of nested values; stacks have none.
    """
    spans = _spans_of(tree.root)
    least = _LEAST * spans[id(tree.root)]
    functions: dict[Function, int] = {}
    nodes: list[tuple[int, int, float, float]] = []
    todo = [(tree.root, 0)]
    while todo:
        node, caller = todo.pop()
        number = len(nodes)
        function = functions.setdefault(node.function, len(functions))
        busy_s, waiting_s = node.busy_s, node.waiting_s
        for child in node.children.values():
            if spans[id(child)] >= least:
                todo.append((child, number))
            else:
                # Small parts add up, so that the caller keeps their time.
                busy_s += child.total_s
                waiting_s += spans[id(child)] - child.total_s
        nodes.append(
            (
                caller,
                function,
                round(1000 * busy_s, 3),
                round(1000 * waiting_s, 3),
            )
        )
    return {
        "nodes": nodes,
        "functions": [(_label(one) or "all", one.is_own) for one in functions],
    }


def _spans_of(root: Node) -> dict[int, float]:
    """Return each node's time with all below it, waiting included."""
    order = [root]
    for node in order:
        order.extend(node.children.values())
    spans: dict[int, float] = {}
    for node in reversed(order):
        spans[id(node)] = (
            node.busy_s
            + node.waiting_s
            + sum(spans[id(child)] for child in node.children.values())
        )
    return spans


def _label(function: Function) -> str:
    return printable(function.label)


def _place(function: Function) -> str:
    return printable(function.place)
