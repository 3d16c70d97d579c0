# SPDX-License-Identifier: Apache-2.0
"""The stacks of a session with the time of each, and states of threads."""

from __future__ import annotations

from collections.abc import Iterator
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

# The states of looks. The last four have a frame of their name.
RUNNING = "running"
IS_WAITING = "waiting"
_OF_FRAMES = {
    name: name.strip("[]")
    for name in (WAITING_FOR_GIL, IN_LINE, RAN_UNSEEN, WAITED_UNSEEN)
}
STATES = (RUNNING, IS_WAITING, *_OF_FRAMES.values())

# A session has the sums of its stacks, and no time of any look.
STACKS_TITLE = "stacks: widths are time, their order is not"

_WAITING = Frame(Function("~", 0, WAITING), None)


class Stack(NamedTuple):
    """The frames of looks that are alike, and the time that they stand for.

    Where its thread did not run, the innermost frame is the state.
    """

    frames: list[Frame]
    ms: float


def stacks_in(session: Session) -> Iterator[Stack]:
    """Yield the stacks of *session*, but not time that was another's."""
    frames = Frames(has_first_lines=WRITERS[session.engine].has_first_lines)
    for names, seconds in session.records:
        if seconds <= 0 or not names or is_elsewhere(names[-1]):
            continue
        found = [
            frame for frame in map(frames.frame, names) if frame is not None
        ]
        if is_waiting(names[-1]):
            found.append(_WAITING)
        if found:
            yield Stack(found, 1000 * seconds)


def state_of(function: Function) -> str:
    """Return the state of a thread that has *function* on top, of STATES."""
    state = _OF_FRAMES.get(function.name)
    if state is not None:
        return state
    return IS_WAITING if function.waits_on_top else RUNNING
