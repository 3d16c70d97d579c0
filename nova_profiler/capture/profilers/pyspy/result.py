# SPDX-License-Identifier: Apache-2.0
"""A request's stacks as a session that ``pyinstrument --load`` opens."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from nova_profiler.capture.profilers.pyspy.stacks import (
    Frame,
    frames_of,
    leaf_of,
)
from nova_profiler.profiles import ENGINE_FIELD, PYSPY, WAITING

# What separates the parts of a frame, and its attributes.
_PART = "\x00"
_ATTRIBUTE = "\x01"
_LINE = "l"
# A thread is not exactly on or off the processor in any sample: less than
# this is noise.
_LEAST_SHARE = 0.05


def session_of(
    times: Mapping[bytes, float],
    waits: Callable[[bytes], float],
    about: Mapping[str, Any],
) -> bytes:
    """Return the file of the stacks in *times*, each with its seconds.

    Empty if there is none, or of our own frames only.
    *waits* tells which share of its time an innermost frame waits: that
    part of it gets one frame more, WAITING. *about* are the other fields of
    a session, from ``start_time`` to ``sample_count``.
    """
    first_lines: dict[tuple[str, str], int] = {}
    stacks = [
        (frames, time_s, waits(leaf_of(stack)))
        for stack, time_s in times.items()
        if (frames := frames_of(stack))
    ]
    for frames, _, _ in stacks:
        for function, file, line in frames:
            known = first_lines.get((function, file), line)
            first_lines[function, file] = min(known, line)
    records: list[tuple[list[str], float]] = []
    for frames, time_s, share in stacks:
        names = [_named(frame, first_lines) for frame in frames]
        share = round(share, 3)
        if share < 1 - _LEAST_SHARE:
            share = share if share > _LEAST_SHARE else 0.0
            records.append((names, time_s * (1 - share)))
        else:
            share = 1.0
        if share:
            records.append(([*names, WAITING], time_s * share))
    if not records:
        return b""
    # Like beside like: readers only join neighbours.
    records.sort(key=lambda record: record[0])
    root = records[0][0][0].partition(_ATTRIBUTE)[0]
    return json.dumps(
        {
            **about,
            ENGINE_FIELD: PYSPY,
            "start_call_stack": [root],
            "sys_path": sys.path,
            "sys_prefixes": sorted({sys.prefix, sys.base_prefix}),
            "frame_records": records,
        },
        separators=(",", ":"),
    ).encode()


def _named(frame: Frame, first_lines: dict[tuple[str, str], int]) -> str:
    """Return *frame* as pyinstrument writes it.

    A function is known by its name, file and first line. py-spy does not
    tell the last: the first of its lines that was seen stands for it.
    """
    function, file, line = frame
    first = first_lines[function, file]
    name = f"{function}{_PART}{file}{_PART}{first}"
    return f"{name}{_ATTRIBUTE}{_LINE}{line}" if line else name
