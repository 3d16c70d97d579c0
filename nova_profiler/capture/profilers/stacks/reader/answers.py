# SPDX-License-Identifier: Apache-2.0
"""What the reader answers: the stacks of a request, as JSON-ready values."""

from __future__ import annotations

from typing import Any

from nova_profiler.capture.profilers.stacks.layouts import Layout
from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Code
from nova_profiler.capture.profilers.stacks.reader.code.line_tables import (
    line_310,
    line_311,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    SeenRequest,
)
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    TimedLooks,
)

# Frames of an answer: past it, further stacks are left out.
MOST_ENTRIES = 100_000


def frames_of(path: Path, layout: Layout) -> list[list[Any]]:
    """Return name, file, first line and line of each frame of *path*.

    The outermost first. Of a function that was not surely the one that was
    seen, the name ends in a question mark.
    """
    return [
        [*named, line]
        for one in path.frames()
        for *named, line in [_frame(one, layout)]
    ]


def answer_of(
    seen: SeenRequest, layout: Layout, began_ns: int
) -> dict[str, Any]:
    """Return all that was *seen* of a request, which *began_ns*.

    ``frames`` are [number of the caller's entry or -1, name, file, first
    line, line], each after its caller; ``stacks`` are [number of the last
    frame's entry, state, looks, nanoseconds]. ``timed`` are [piece, number
    of the stack, start in microseconds after the begin, microseconds];
    pieces in the request's own slot are OWN_LANE.
    """
    frames: list[list[Any]] = []
    numbers: dict[tuple[Any, ...], int] = {}
    stacks: dict[tuple[int, int], list[int]] = {}
    left_out = seen.left_out
    known: dict[int, int] = {}
    # Of each path and state the number of its stack, -1 if it has no room.
    rows: list[int] = []
    for (path, state), (looks, time_ns, _) in seen.paths.items():
        if len(known) > MOST_ENTRIES:
            left_out += looks
            rows.append(-1)
            continue
        number, fresh = _from_known(path, known)
        for one in fresh:
            key = (number, *_frame(one, layout))
            entry = numbers.get(key)
            if entry is None:
                entry = numbers[key] = len(frames)
                frames.append(list(key))
            number = known[id(one)] = entry
        found = stacks.setdefault((number, state), [0, 0, len(stacks)])
        rows.append(found[2])
        found[0] += looks
        found[1] += time_ns
    return {
        "frames": frames,
        "stacks": [[*key, *found[:2]] for key, found in stacks.items()],
        "timed": _timed(seen.timed, rows, began_ns),
        "joined": seen.timed.joined,
        "untimed": seen.untimed,
        "looks": seen.looks,
        "left_out": left_out,
        "seen_ns": seen.seen_ns,
        "ran_ns": seen.ran_ns,
        "queued_ns": seen.queued_ns,
        "ran_unseen_ns": seen.ran_unseen_ns,
        "waited_unseen_ns": seen.waited_unseen_ns,
    }


def _from_known(path: Path, known: dict[int, int]) -> tuple[int, list[Path]]:
    """Return the entry of the last frame that has one, and those below it.

    -1 for an entry where none has one. Stacks have most of their frames in
    common: only what is new is walked over.
    """
    fresh: list[Path] = []
    at: Path | None = path
    while at is not None and at.code is not None:
        entry = known.get(id(at))
        if entry is not None:
            return entry, fresh[::-1]
        fresh.append(at)
        at = at.parent
    return -1, fresh[::-1]


def _timed(
    timed: TimedLooks, rows: list[int], began_ns: int
) -> list[list[int]]:
    found = []
    for lane, stack, start_ns, ns in timed:
        # Both ends are rounded, so that what touches goes on doing so.
        start_us = max(0, round((start_ns - began_ns) / 1000))
        end_us = round((start_ns + ns - began_ns) / 1000)
        if rows[stack] >= 0 and end_us > start_us:
            found.append([lane, rows[stack], start_us, end_us - start_us])
    return found


def _frame(path: Path, layout: Layout) -> tuple[str, str, int, int]:
    code = path.code
    if code is None:
        return "?", "?", 0, 0
    if path.line is None:
        path.line = _line(path, code, layout)
    name = code.name if code.is_sure else f"{code.name}?"
    return name, code.file, code.first_line, path.line


def _line(path: Path, code: Code, layout: Layout) -> int:
    if layout.code_start:
        offset = path.instruction - path.address - layout.code_start
        return line_311(code.lines, code.first_line, offset)
    return line_310(code.lines, code.first_line, path.instruction)
