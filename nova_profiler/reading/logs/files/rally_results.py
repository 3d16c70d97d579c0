# SPDX-License-Identifier: Apache-2.0
"""Results of rally: ``rally task report --json`` and ``rally task results``.

An atomic action is what a user does, such as ``nova.boot_server``, with all
requests that it takes and the waiting between them. Each becomes a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

# What holds iterations: task, subtask, workload, data; or workload, result.
OPEN_ARRAYS = (8, 3)
_HEAD = re.compile(rb"\s*\{\s*\"info\"\s*:\s*\{\s*\"rally_version\"")
_OLD_HEAD = re.compile(rb"\s*\[\s*\{")
_EXACT = "microseconds"
_NOT_IN_NAMES = re.compile(r"[^\w.\- ]")
# A second action of a name, in the older form.
_NUMBER = re.compile(r" \(\d{1,6}\)\Z")


class _Action(NamedTuple):
    name: str
    until: float | None
    seconds: float | None
    has_failed: bool


def is_rally(head: bytes) -> bool:
    """Return whether a text that begins with *head* is a result of rally."""
    if _HEAD.match(head):
        return True
    return bool(_OLD_HEAD.match(head)) and (
        b'"atomic_actions"' in head
        or (b'"key"' in head and b'"runner"' in head)
    )


def lines_of(record: bytes) -> Iterator[bytes]:
    """Yield a line for each action of the iteration *record*.

    Nothing for what is no iteration. Raises ValueError for a damaged one.
    """
    if b'"atomic_actions"' not in record:
        return
    found = json.loads(record)
    for action in _actions_of(found):
        name = _NOT_IN_NAMES.sub("?", action.name)[:200]
        stamp = "" if action.until is None else f"{_stamp(action.until)} "
        took = "-" if action.seconds is None else f"{action.seconds:.6f}"
        failed = " failed" if action.has_failed else ""
        yield f'{stamp}rally "{name}" {took} s{failed}\n'.encode()


def _actions_of(iteration: dict[str, Any]) -> Iterator[_Action]:
    actions = iteration.get("atomic_actions")
    if isinstance(actions, dict):
        yield from _older(actions, iteration)
        return
    named = [
        one
        for one in (actions if isinstance(actions, list) else [])
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
    for number, one in enumerate(named):
        began, ended = (
            _number(one.get(key)) for key in ("started_at", "finished_at")
        )
        is_last = number == len(named) - 1
        yield _Action(
            one["name"],
            ended,
            None if began is None or ended is None else ended - began,
            bool(one.get("failed"))
            or (is_last and bool(iteration.get("error"))),
        )


def _older(
    actions: dict[str, Any], iteration: dict[str, Any]
) -> Iterator[_Action]:
    """Yield actions of which only the durations are kept, in their order."""
    at = _number(iteration.get("timestamp"))
    for number, (name, value) in enumerate(actions.items()):
        seconds = _number(value)
        if at is not None:
            at += seconds or 0.0
        is_last = number == len(actions) - 1
        has_failed = is_last and bool(iteration.get("error"))
        yield _Action(_NUMBER.sub("", name), at, seconds, has_failed)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Not so for NaN either.
    return float(value) if is_number and 0 <= value < 1e11 else None


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat("T", _EXACT)
