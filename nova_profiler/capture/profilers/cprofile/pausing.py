# SPDX-License-Identifier: Apache-2.0
"""How a cProfile is paused and resumed when greenlets switch.

``disable()`` would end every call that is open. Two of these ways leave the
calls open, each for its versions of Python; the third is cProfile as it is
documented, for where neither works.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

from nova_profiler.capture.profilers.cprofile.scopes import (
    PROCESS_WIDE,
    REPLACED,
    Part,
)

_TOOL = "nova_profiler"
# Python 3.12 and later.
_monitoring: Any = getattr(sys, "monitoring", None)


class Hands(Protocol):
    """How a profile is paused and resumed without losing its open calls."""

    def claim(self) -> bool:
        """Get ready for the first profile; False if somebody else is."""

    def release(self) -> None:
        """The last profile is off."""

    def taken(self) -> bool:
        """Whether somebody else profiles this thread."""

    def resume(self, part: Part) -> None:
        """Have the calls from here on counted for *part*."""

    def pause(self, part: Part) -> None:
        """Leave the calls that are open open."""

    def stop(self, part: Part) -> None:
        """Like pause, at the end of the outermost call."""


class ThreadHands:
    """Up to Python 3.11: the thread's profile function is exchanged.

    ``disable()`` would close the calls that are open; taking the function
    away leaves them as they are.
    """

    def claim(self) -> bool:
        """Nothing to get ready."""
        return True

    def release(self) -> None:
        """Nothing to give back."""

    def taken(self) -> bool:
        """Whether there is a profile function that is none of ours."""
        return sys.getprofile() is not None

    def resume(self, part: Part) -> None:
        """Set the profile function, unless there is one of others."""
        if sys.getprofile() is None:
            part.profile.enable()
        else:
            part.refuse(REPLACED)

    def pause(self, part: Part) -> None:
        """Take the profile function away, if it is still ours."""
        if _profiler_here() is part.profile:
            sys.setprofile(None)
        else:
            part.refuse(REPLACED)

    def stop(self, part: Part) -> None:
        """Close what is open: no more than our own call to get here."""
        found = _profiler_here()
        part.profile.disable()
        if found is not part.profile:
            part.refuse(REPLACED)
            if callable(found):
                sys.setprofile(found)


class FlushingHands:
    """By cProfile's documented methods alone; closes open calls.

    A call that is open at a switch ends there as far as its cumulative
    time goes. Number of calls and own time are right.
    """

    def claim(self) -> bool:
        """Nothing to get ready."""
        return True

    def release(self) -> None:
        """Nothing to give back."""

    def taken(self) -> bool:
        """Whether there is another profile."""
        if not PROCESS_WIDE:
            return sys.getprofile() is not None
        return _monitoring.get_tool(_monitoring.PROFILER_ID) is not None

    def resume(self, part: Part) -> None:
        """Begin anew."""
        try:
            part.profile.enable()
        except ValueError:
            part.refuse(REPLACED)

    def pause(self, part: Part) -> None:
        """End every call that is open."""
        if PROCESS_WIDE or _profiler_here() is part.profile:
            part.profile.disable()
        else:
            part.refuse(REPLACED)

    def stop(self, part: Part) -> None:
        """The same."""
        self.pause(part)


class MonitoringHands:
    """From Python 3.12 on: the profile's own callbacks are exchanged.

    The events stay on while any profile is there: turning them off and on
    has the interpreter rewrite all running code. The callbacks are
    methods of cProfile that no document names: see greenlet_trial.
    """

    def __init__(self) -> None:
        events = _monitoring.events
        # The pair of C calls comes last and in this order, on and off:
        # setting a callback is a C call itself, of which the profile must
        # see both ends or none.
        self._callbacks = (
            (events.PY_START, ("_pystart_callback",)),
            (events.PY_RESUME, ("_pystart_callback",)),
            (events.PY_THROW, ("_pythrow_callback", "_pystart_callback")),
            (events.PY_RETURN, ("_pyreturn_callback",)),
            (events.PY_YIELD, ("_pyreturn_callback",)),
            (events.PY_UNWIND, ("_pyreturn_callback",)),
            (events.C_RAISE, ("_creturn_callback",)),
            (events.CALL, ("_ccall_callback",)),
            (events.C_RETURN, ("_creturn_callback",)),
        )
        self._events = 0
        for event, _ in self._callbacks:
            # These two come with CALL and cannot be asked for.
            if event not in (events.C_RAISE, events.C_RETURN):
                self._events |= event

    def claim(self) -> bool:
        """Become the process's profiler."""
        monitoring = _monitoring
        try:
            monitoring.use_tool_id(monitoring.PROFILER_ID, _TOOL)
        except ValueError:
            return False
        monitoring.set_events(monitoring.PROFILER_ID, self._events)
        return True

    def release(self) -> None:
        """Let somebody else be the process's profiler."""
        monitoring = _monitoring
        monitoring.set_events(monitoring.PROFILER_ID, 0)
        monitoring.free_tool_id(monitoring.PROFILER_ID)

    def taken(self) -> bool:
        """Asked in claim."""
        return False

    def resume(self, part: Part) -> None:
        """Give the events to *part*."""
        # Found first: a function that is called while half of the
        # callbacks are set would be seen to begin and not to end.
        found = [
            (event, _method(part.profile, names))
            for event, names in self._callbacks
        ]
        register = _monitoring.register_callback
        for event, method in found:
            register(_monitoring.PROFILER_ID, event, method)

    def pause(self, part: Part) -> None:
        """Give the events to nobody."""
        register = _monitoring.register_callback
        for event, _ in self._callbacks:
            register(_monitoring.PROFILER_ID, event, None)

    # Our calls on the way here stay open. The ways to resume and to stop
    # are equally deep, so that the next step of a body closes them.
    stop = pause


def _method(profile: object, names: tuple[str, ...]) -> Any:
    for name in names:
        method = getattr(profile, name, None)
        if method is not None:
            return method
    raise AttributeError(names[0])


def _profiler_here() -> Any:
    # A function, says the type; what cProfile sets is the profile.
    return sys.getprofile()
