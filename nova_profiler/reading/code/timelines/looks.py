# SPDX-License-Identifier: Apache-2.0
"""The stacks of a session over time, lane by lane, and states of threads."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from nova_profiler.profiles import (
    IN_LINE,
    RAN_UNSEEN,
    WAITED_UNSEEN,
    WAITING,
    WAITING_FOR_GIL,
    WRITERS,
)
from nova_profiler.profiles.frames import (
    Frame,
    Frames,
    is_elsewhere,
    is_waiting,
)
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.session_files import Session

# What is known of whole lanes alone.
_SUMS = frozenset({IN_LINE, RAN_UNSEEN, WAITED_UNSEEN})

# The states of looks. The last four have a frame of their name.
RUNNING = "running"
IS_WAITING = "waiting"
_OF_FRAMES = {
    name: name.strip("[]")
    for name in (WAITING_FOR_GIL, IN_LINE, RAN_UNSEEN, WAITED_UNSEEN)
}
STATES = (RUNNING, IS_WAITING, *_OF_FRAMES.values())

# What a session has no time of, in a track of its own: all its stacks, or what
# is in no lane.
STACKS_TITLE = "stacks: widths are time, their order is not"
REST_TITLE = "in no lane: widths are time, their order is not"
WIDE_REST_TITLE = (
    "in no lane, or in one without room: widths are time, their order is not"
)
# Less than this is what rounding left of a stack.
_LEAST_REST_MS = 0.5
# Frames of all stretches of a session. A file may name one stack many times.
MOST_FRAMES = 2_000_000

_WAITING = Frame(Function("~", 0, WAITING), None)


class Stack(NamedTuple):
    """The frames of looks that are alike, and the time that they stand for.

    Where its thread did not run, the innermost frame is the state. It begins
    *start_ms* after its request, or where the one before it ends.
    """

    frames: list[Frame]
    ms: float
    start_ms: float = 0.0


class Stacks(NamedTuple):
    """The stacks of each lane in the order of time, and those in no lane."""

    lanes: dict[int, list[Stack]]
    rest: list[Stack]
    rest_title: str = STACKS_TITLE
    # Of the latter, those that have lost their place in a lane with room.
    without_room: int = 0
    # The engine states no states: functions wait by their names.
    by_name: bool = False


def stacks_of(
    session: Session | None, with_room: Container[int] | None = None
) -> Stacks:
    """Return the stacks of *session*, but not time that was another's.

    Only lanes *with_room* are there, None for all; what stood in the others
    is with what is in no lane, and so is what is past MOST_FRAMES.
    """
    if session is None:
        return Stacks({}, [])
    stacks = list(_stacks_in(session))
    lanes: dict[int, list[Stack]] = {}
    timed = session.timed
    by_name = not WRITERS[session.engine].has_states
    if timed is None:
        rest = _side_by_side(filter(None, stacks))
        return Stacks(lanes, rest, by_name=by_name)
    placed_ms = [0.0] * len(stacks)
    # In lanes without room, or past the frames of a session.
    over_ms = [0.0] * len(stacks)
    room = MOST_FRAMES
    without_room = 0
    for lane, record, start_us, us in timed.rows():
        stack = stacks[record]
        if stack is None:
            continue
        if with_room is not None and lane not in with_room:
            over_ms[record] += us / 1000
            continue
        if len(stack.frames) > room:
            over_ms[record] += us / 1000
            without_room += 1
            continue
        room -= len(stack.frames)
        placed_ms[record] += us / 1000
        found = lanes.setdefault(lane, [])
        found.append(_behind(found, stack.frames, start_us / 1000, us / 1000))
    rest = []
    for stack, placed, over in zip(stacks, placed_ms, over_ms, strict=True):
        if stack is None:
            continue
        ms = stack.ms - placed - over
        # A neighbour stands for it, in its lane.
        if ms < _LEAST_REST_MS or (timed.joined and _has_place(stack)):
            ms = 0.0
        if ms + over > 0:
            rest.append(Stack(stack.frames, ms + over))
    title = WIDE_REST_TITLE if any(over_ms) else REST_TITLE
    return Stacks(lanes, _side_by_side(rest), title, without_room, by_name)


def _stacks_in(session: Session) -> Iterator[Stack | None]:
    """Yield the stack of each record, None where it is not the request's."""
    frames = Frames(has_first_lines=WRITERS[session.engine].has_first_lines)
    for names, seconds in session.records:
        if seconds <= 0 or not names or is_elsewhere(names[-1]):
            yield None
            continue
        found = [
            frame for frame in map(frames.frame, names) if frame is not None
        ]
        if is_waiting(names[-1]):
            found.append(_WAITING)
        yield Stack(found, 1000 * seconds) if found else None


def _behind(
    before: list[Stack], frames: list[Frame], start_ms: float, ms: float
) -> Stack:
    """Return a stack that does not begin before the one *before* it ends.

    The kernel's clock of a thread that runs is late by up to a tick.
    """
    if before:
        last = before[-1]
        start_ms = max(start_ms, last.start_ms + last.ms)
    return Stack(frames, ms, start_ms)


def _has_place(stack: Stack) -> bool:
    return len(stack.frames) > 1 or stack.frames[0].function.name not in _SUMS


def _side_by_side(stacks: Iterable[Stack]) -> list[Stack]:
    placed = []
    at = 0.0
    for stack in stacks:
        placed.append(stack._replace(start_ms=at))
        at += stack.ms
    return placed


def state_of(function: Function, by_name: bool = True) -> str:
    """Return the state of a thread that has *function* on top, of STATES.

    *by_name*: a function waits by its name, not by a frame behind it alone.
    """
    state = _OF_FRAMES.get(function.name)
    if state is not None:
        return state
    return IS_WAITING if function.waits(by_name) else RUNNING
