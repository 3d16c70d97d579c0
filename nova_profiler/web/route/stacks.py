# SPDX-License-Identifier: Apache-2.0
"""The stacks of a route's requests as pictures, one for each engine."""

from __future__ import annotations

from typing import Any

from nova_profiler.profiles.stack_nodes import Node
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code.certainty import notes_of
from nova_profiler.reading.code.hot_path import sentence_of
from nova_profiler.reading.requests.one_request.flame_boxes import flame_of
from nova_profiler.web.route.view import RouteView
from nova_profiler.web.together.adding_up import Opened
from nova_profiler.web.together.chains import without_chains

_MOST_FUNCTIONS = 30


def flames_of(opened: Opened, view: RouteView) -> list[dict[str, Any]]:
    """Return what the page shows of each engine, most requests first.

    What *view* leads into and searches for is of the first one's.
    """
    found: list[dict[str, Any]] = []
    for one in opened.engines.values():
        whole = one.whole
        rows = whole.rows()
        shown: dict[str, Any] = {
            "engine": one.engine,
            "sentence": sentence_of(whole),
            "profiles": whole.profiles,
            "requests": max(1, one.requests),
            "notes": notes_of(whole, rows[:5]),
            "functions": [
                row for row in rows[:_MOST_FUNCTIONS] if row.self_s > 0
            ],
            "flame": None,
        }
        if one.tree is not None:
            is_first = not found
            tree = one.tree
            if not view.callers:
                tree = StackTree(one.engine)
                tree.root = without_chains(one.tree.root, _own_s, Node)
            flame = flame_of(
                tree,
                view.frame if is_first else 0,
                view.find if is_first else "",
            )
            if flame.boxes and flame.seconds > 0:
                shown["flame"] = flame
                shown["levels"] = max(box.level for box in flame.boxes) + 1
        found.append(shown)
    return found


def _own_s(node: Node) -> float:
    return node.busy_s + node.waiting_s
