# SPDX-License-Identifier: Apache-2.0
"""What the threads that work for requests are in, read off their stacks.

A request pays nothing for this: the functions of this package that are on a
thread's stack hold in local variables what they work for (``capture``,
``exchange``, ``lane``) and what they time (``key`` or ``statement``, and
``start``, a ``timing`` or ``queueing``, which has begins by lane).
tests/capture/running/test_open_calls.py goes through them all.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.current import LaneCall
from nova_profiler.capture.greenthreads import thread_ident
from nova_profiler.capture.lanes import Lane, PieceLane
from nova_profiler.capture.sql import name_of_statement
from nova_profiler.capture.timing import Timing
from nova_profiler.groups import SQL
from nova_profiler.record import OpenCall, OpenStack
from nova_profiler.trust.collector_pause import collector_paused

# What is kept of one request: threads, and the innermost frames of each.
MAX_THREADS = 20
MAX_FRAMES = 60
# A stack that is longer has run away.
_MAX_WALKED = 3_000
_LONGEST_TEXT = 300
_GREENTHREAD = "greenthread"
_LANES = (Lane, PieceLane)
# Applications may put anything into a thread's name.
_THREAD = re.compile(r"[A-Za-z0-9_.() -]{1,80}")
_UNNAMED = "a thread"


class Open(NamedTuple):
    """What a request is in: its calls, outermost first, and its stacks."""

    calls: list[OpenCall]
    stacks: list[OpenStack]


class _Found(NamedTuple):
    """What one thread's stack shows."""

    capture: Capture | None
    calls: list[tuple[str, str, float]]
    frames: tuple[str, ...]


def open_calls_of(
    captures: Collection[Capture], now: float
) -> dict[int, Open]:
    """Return what each of *captures* is in, by id() of the capture.

    *now* is a perf_counter() value. Called in a thread that serves none of
    them.
    """
    opened = {id(one): Open([], []) for one in captures}
    for name, frame in _stacks_of(captures):
        found = _look_at(frame)
        there = opened.get(id(found.capture))
        if (
            found.capture is None
            or there is None
            or len(there.stacks) >= MAX_THREADS
        ):
            continue
        began = found.capture.started
        there.calls.extend(
            OpenCall(
                group,
                call,
                max(0.0, start - began) * 1000,
                max(0.0, now - start) * 1000,
                name,
            )
            for group, call, start in found.calls
        )
        there.stacks.append(OpenStack(name, found.frames))
    return opened


def _stacks_of(
    captures: Collection[Capture],
) -> Iterator[tuple[str, FrameType]]:
    """Yield the stack of each thread, and of greenthreads that wait."""
    own = thread_ident()
    # Not threading.enumerate(): its lock may be one of gevent's, which this
    # thread of the system must not wait for.
    known = list(getattr(threading, "_active", {}).items())
    names = {ident: thread.name for ident, thread in known}
    for ident, frame in _current_frames().items():
        if ident != own:
            name = str(names.get(ident, ident))
            yield name if _THREAD.fullmatch(name) else _UNNAMED, frame
    for one in captures:
        for refer in list(one.greenlets or ()):
            # None: it has ended, or it runs and is its thread's stack.
            waiting = getattr(refer(), "gr_frame", None)
            if waiting is not None:
                yield _GREENTHREAD, waiting


def _current_frames() -> dict[int, FrameType]:
    """Return the frame of each thread, and let no collection begin there.

    Up to CPython 3.11.8 and 3.12.2 the interpreter makes those frames while
    it holds the lock of its threads. A collection that begins then waits for
    that lock, or for a thread that does, and the whole process stands still.
    """
    with collector_paused():
        return sys._current_frames()


def _look_at(frame: FrameType | None) -> _Found:
    """Return what a thread works for, and its stack inside our filter."""
    served: Capture | None = None
    calls: list[tuple[str, str, float]] = []
    frames: list[str] = []
    inside = 0
    for _ in range(_MAX_WALKED):
        if frame is None:
            break
        code = frame.f_code
        if code.co_filename.startswith(OWN_FOLDER):
            held = frame.f_locals
            capture = _capture_in(held)
            if capture is not None and not capture.closed:
                served = served or capture
                if capture is served:
                    inside = len(frames)
                    calls.extend(_call_in(held))
        elif len(frames) < MAX_FRAMES:
            frames.append(
                f"{code.co_filename}:{frame.f_lineno} {code.co_name}"
            )
        frame = frame.f_back
    kept = [text[-_LONGEST_TEXT:] for text in frames[:inside]]
    return _Found(served, calls[::-1], tuple(kept[::-1]))


def _capture_in(held: Mapping[str, Any]) -> Capture | None:
    """Return the capture that a function with these locals works for."""
    # By type(): isinstance() asks an object of the application, which may
    # run code of its own, in this thread.
    lane: Any = held.get("lane")
    if type(lane) in _LANES:
        found: Capture = lane.capture
        return found
    for name in ("capture", "exchange", "self"):
        value = held.get(name)
        if type(value) is LaneCall or name == "exchange":
            value = getattr(value, "capture", None)
        if type(value) is Capture:
            return value
    return None


def _call_in(held: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield group, name and start of the call that a function times."""
    timing: Any = held.get("timing")
    queueing = held.get("queueing")
    is_timing = issubclass(type(timing), Timing)
    start = timing.start if is_timing else held.get("start")
    if type(queueing) is dict:
        start = queueing.get(held.get("lane"))
    if not isinstance(start, float):
        # It has not begun to, or it is one of the others.
        return
    key, statement = held.get("key"), held.get("statement")
    if isinstance(key, CallKey):
        yield key.group, key.name, start
    elif isinstance(statement, str):
        yield SQL.name, name_of_statement(statement), start
