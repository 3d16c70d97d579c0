# SPDX-License-Identifier: Apache-2.0
"""Time between looks, which has no place in the stacks of one request.

Of a request with a look or two the clocks state what it ran and waited, and
the looks found one of both at most. Of many requests together the looks found
each state as often as it was: their places stand for the rest as well.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.profiles import (
    IN_LINE,
    RAN_UNSEEN,
    WAITED_UNSEEN,
    WAITING_FOR_GIL,
)
from nova_profiler.profiles.stack_nodes import Node, walk

# Fewer samples with a place are chance.
_LEAST_SAMPLES = 20


class Shared(NamedTuple):
    """Seconds of work and of waiting that were shared out.

    *work_samples* are those that the work without a place was counted as.
    """

    work_s: float = 0.0
    wait_s: float = 0.0
    work_samples: float = 0.0

    def plus(self, other: Shared) -> Shared:
        """Return both together."""
        return Shared(*map(sum, zip(self, other, strict=True)))


def share_out(root: Node, in_states: dict[str, float]) -> Shared:
    """Share out what was between looks, in the tree below *root*.

    Each node has more time by as much as all of its state together, and as
    many samples as before; all sums of work and waiting stay. What has too
    few samples stays where it is. *in_states* are the seconds of each state,
    and changed as well.
    """
    work = _share_work(root, in_states)
    return work._replace(wait_s=_share_waiting(root, in_states))


def _share_work(root: Node, in_states: dict[str, float]) -> Shared:
    """Return what work was shared out."""
    unseen = _taken(root, RAN_UNSEEN)
    nodes = [node for node, entered in walk(root) if entered]
    factor = _factor(
        sum(node.busy_s for node in nodes),
        sum(node.samples for node in nodes),
        0.0 if unseen is None else unseen.busy_s,
    )
    if unseen is None or factor == 1.0:
        _put_back(root, unseen)
        return Shared()
    for node in (root, *nodes):
        node.busy_s *= factor
        _scale(node.lines, factor)
    in_states[RAN_UNSEEN] = 0.0
    return Shared(work_s=unseen.busy_s, work_samples=unseen.samples)


def _share_waiting(root: Node, in_states: dict[str, float]) -> float:
    """Return the seconds of waiting that were shared out.

    What stood in line for a processor did not wait.
    """
    unseen, in_line = _taken(root, WAITED_UNSEEN), _taken(root, IN_LINE)
    nodes = [node for node, entered in walk(root) if entered]
    factor = _factor(
        sum(node.waiting_s for node in nodes),
        sum(node.waiting_samples for node in nodes),
        0.0 if unseen is None else unseen.waiting_s,
    )
    _put_back(root, in_line)
    if unseen is None or factor == 1.0:
        _put_back(root, unseen)
        return 0.0
    for node in (root, *nodes):
        node.waiting_s *= factor
        _scale(node.wait_lines, factor)
    in_states[WAITED_UNSEEN] = 0.0
    in_states[WAITING_FOR_GIL] *= factor
    return unseen.waiting_s


def _factor(placed_s: float, samples: float, unseen_s: float) -> float:
    if samples < _LEAST_SAMPLES or placed_s <= 0:
        return 1.0
    return (placed_s + unseen_s) / placed_s


def _taken(root: Node, state: str) -> Node | None:
    """Return the node of *state*, which *root* has no more."""
    for function in root.children:
        if function.name == state:
            return root.children.pop(function)
    return None


def _put_back(root: Node, node: Node | None) -> None:
    if node is not None:
        root.children[node.function] = node


def _scale(lines: dict[int, float], factor: float) -> None:
    for line in lines:
        lines[line] *= factor
