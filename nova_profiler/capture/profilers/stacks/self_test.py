# SPDX-License-Identifier: Apache-2.0
"""Tries the reader out: on a process made for that, as the worker's is."""

from __future__ import annotations

from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.start_test import BEGIN_S
from nova_profiler.capture.profilers.stacks.starting import (
    StacksError,
    started,
)
from nova_profiler.capture.profilers.tracers import (
    be_dumpable,
    has_changed_user,
)
from nova_profiler.capture.profilers.trials import (
    CHANGED,
    DUMPABLE,
    User,
    problem_in,
    ways_of,
)

_SLOTS = 8


def problem_with(
    longest_s: float = 2 * BEGIN_S,
    user: User | None = None,
    changed: bool = False,
    dumpable: bool = False,
) -> str | None:
    """Return what to do so that stacks can be read, None if they can.

    From a process that is the one of a *user*, has *changed* its user after
    its start or not, and may make itself *dumpable* again.
    """
    ways = ways_of(changed, dumpable)
    return problem_in(__name__, "stacks", ways, longest_s, user)


def main(*ways: str) -> int:
    """Have a reader look into this process; print what is in its way."""
    if CHANGED in ways:
        # A change of user leaves a process like this.
        be_dumpable(False)
    try:
        if DUMPABLE in ways and has_changed_user():
            be_dumpable(True)
        slots = Slots(_SLOTS)
        started(slots).close()
    except StacksError as exc:
        print(exc.strerror)
        return 1
    except OSError as exc:
        print(f"the reader cannot be started: {exc.strerror}")
        return 1
    return 0
