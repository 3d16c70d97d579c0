# SPDX-License-Identifier: Apache-2.0
"""Profiles in the formats of other programs.

Samples have times and no calls, and so has a pstats file made of them.
Counted calls have no stacks: pstats alone can hold what they have.
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Iterator
from typing import Any

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles import (
    CALLS_SUFFIX,
    SAMPLES_SUFFIX,
    WAITING,
    WAITING_STATES,
)
from nova_profiler.profiles.call_graph import CallGraph
from nova_profiler.profiles.frames import frame_text
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.session_files import About, write_session
from nova_profiler.profiles.stack_tree import StackTree

SUFFIXES = {
    "pstats": CALLS_SUFFIX,
    "speedscope": ".speedscope.json",
    "collapsed": ".folded",
    "pyinstrument": SAMPLES_SUFFIX,
}

# As every supported Python reads it.
_MARSHAL_VERSION = 4
# A session has to name one; here each record stands for many samples.
_INTERVAL_S = 0.001
_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_NOT_IN_COLLAPSED = re.compile(r"[;\s]+")

_WAITING = Function("~", 0, WAITING)

Figures = tuple[int, int, float, float]


class ExportError(NovaProfilerError, ValueError):
    """A format cannot hold what the profile has."""


def exported(profile: Profile, how: str, title: str) -> bytes:
    """Return *profile* in the format *how*, one of SUFFIXES.

    Raises ExportError where the format cannot hold it.
    """
    if how == "pstats":
        return marshal.dumps(_pstats(profile), _MARSHAL_VERSION)
    if isinstance(profile, CallGraph):
        raise ExportError(
            f"counted calls have no stacks, which {how} needs; take pstats "
            f"or html, or the engine stacks or pyinstrument"
        )
    if how == "pyinstrument":
        return _session(profile, title)
    if how == "collapsed":
        text = "".join(f"{line}\n" for line in _collapsed(profile))
    else:
        text = json.dumps(_speedscope(profile, title))
    return text.encode("utf-8", "replace")


def _pstats(profile: Profile) -> dict[Any, Any]:
    if isinstance(profile, StackTree):
        return _pstats_of_samples(profile)
    return {
        key: (
            called.primitive,
            called.calls,
            called.self_s,
            called.total_s,
            {
                # Here pstats has the two counts the other way round.
                caller: (calls, primitive, self_s, total_s)
                for caller, (primitive, calls, self_s, total_s) in (
                    called.callers.items()
                )
            },
        )
        for key, called in profile.functions.items()
    }


def _pstats_of_samples(tree: StackTree) -> dict[Any, Any]:
    """Return times without calls: pstats leaves those columns empty."""
    own: dict[Function, float] = {}
    total: dict[Function, float] = {}
    edges: dict[Function, dict[Function, list[float]]] = {}
    for stack, seconds in _stacks(tree):
        own[stack[-1]] = own.get(stack[-1], 0.0) + seconds
        # Each once, also where a recursion has it in the stack often.
        for function in set(stack):
            total[function] = total.get(function, 0.0) + seconds
        for caller, callee in set(zip(stack, stack[1:], strict=False)):
            edge = edges.setdefault(callee, {}).setdefault(caller, [0.0, 0.0])
            edge[1] += seconds
        if len(stack) > 1:
            edges[stack[-1]][stack[-2]][0] += seconds
    return {
        tuple(function): (
            *(0, 0, own.get(function, 0.0), seconds),
            {
                tuple(caller): (0, 0, self_s, total_s)
                for caller, (self_s, total_s) in (
                    edges.get(function, {}).items()
                )
            },
        )
        for function, seconds in total.items()
    }


def _collapsed(tree: StackTree) -> Iterator[str]:
    """Yield a line for each stack, its time in microseconds."""
    for stack, seconds in _stacks(tree):
        names = [_collapsed_name(function.label) for function in stack]
        yield f"{';'.join(names)} {max(1, round(seconds * 1e6))}"


def _collapsed_name(label: str) -> str:
    """Return *label* as a field; no character of it steers a terminal."""
    return _NOT_IN_COLLAPSED.sub(
        "_", "".join(one if one.isprintable() else " " for one in label)
    )


def _speedscope(tree: StackTree, title: str) -> dict[str, Any]:
    numbers: dict[Function, int] = {}
    samples: list[list[int]] = []
    weights: list[float] = []
    for stack, seconds in _stacks(tree):
        samples.append(
            [numbers.setdefault(one, len(numbers)) for one in stack]
        )
        weights.append(round(seconds, 9))
    return {
        "$schema": _SCHEMA,
        "name": title,
        "exporter": "nova-profiler",
        "activeProfileIndex": 0,
        "shared": {"frames": [_speedscope_frame(one) for one in numbers]},
        "profiles": [
            {
                "type": "sampled",
                "name": title,
                "unit": "seconds",
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }


def _speedscope_frame(function: Function) -> dict[str, Any]:
    if function.is_built_in:
        return {"name": function.label}
    frame = {"name": function.label, "file": function.file}
    return {**frame, "line": function.line} if function.line else frame


def _session(tree: StackTree, title: str) -> bytes:
    records = [
        ([_frame_text(one) for one in stack], seconds)
        for stack, seconds in _stacks(tree)
    ]
    about = About(
        tree.engine,
        title,
        tree.number,
        _INTERVAL_S,
        duration_s=sum(seconds for _, seconds in records),
        cpu_s=tree.busy_s,
        root=records[0][0][0] if records else "",
    )
    return write_session(records, about)


def _frame_text(function: Function) -> str:
    if function == _WAITING:
        return WAITING
    return frame_text(function.name, function.file, function.line)


def _stacks(tree: StackTree) -> Iterator[tuple[list[Function], float]]:
    """Yield each stack with its own time; of waiting, its state is on top."""
    for path in tree.paths():
        node = path[-1]
        stack = [tree.frames.placed(one.function) for one in path]
        if node.busy_s > 0:
            yield stack, node.busy_s
        if node.waiting_s > 0:
            states = (
                () if node.function.name in WAITING_STATES else (_WAITING,)
            )
            yield [*stack, *states], node.waiting_s
