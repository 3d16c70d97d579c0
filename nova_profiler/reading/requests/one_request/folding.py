# SPDX-License-Identifier: Apache-2.0
"""Stacks in which the functions of one library are one box."""

from __future__ import annotations

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stack_nodes import Node

# Built-in code belongs to the library that called it.
_OF_CALLER = "~"


def folded(root: Node) -> Node:
    """Return the stacks of *root* with libraries folded.

    Functions of one library that call each other are one node, which has the
    name of the library. Nova's own functions stay, and so do those in which a
    thread waits. Times add up to the same.
    """
    top = Node(root.function)
    _add(top, root)
    # Asked for each node, of few functions.
    names: dict[Function, str] = {}
    todo = [(root, top, "")]
    while todo:
        node, target, library = todo.pop()
        for child in node.children.values():
            name = names.get(child.function)
            if name is None:
                name = names[child.function] = _name_of(child.function)
            if name == _OF_CALLER:
                name = library
            if name and name == library:
                _add(target, child)
                todo.append((child, target, library))
                continue
            function = Function("", 0, name) if name else child.function
            below = target.children.get(function)
            if below is None:
                below = target.children[function] = Node(function)
            _add(below, child)
            todo.append((child, below, name))
    return top


def _add(node: Node, other: Node) -> None:
    """Add the times of *other*, of which a picture has no more."""
    node.busy_s += other.busy_s
    node.waiting_s += other.waiting_s


def _name_of(function: Function) -> str:
    """Return the library of *function*; empty for one that stays."""
    if function.is_own or function.waits_on_top:
        return ""
    return function.module.partition(".")[0] or _OF_CALLER
