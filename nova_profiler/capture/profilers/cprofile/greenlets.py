# SPDX-License-Identifier: Apache-2.0
"""cProfile for greenlets: each profile is on only while its greenlet runs.

greenlet leaves a thread's profiler on when it switches, so that a plain
cProfile takes the calls of all greenlets for those of one. Here a trace
function of greenlet's own, in place only while somebody is profiled, turns
profiles off and on at each switch.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from nova_profiler.capture.profilers.cprofile.pausing import Hands
from nova_profiler.capture.profilers.cprofile.scopes import (
    BUSY,
    PROCESS_WIDE,
    TAKEN,
    TAKEN_THREAD,
    Part,
    Slot,
)

Trace = Callable[[str, tuple[Any, Any]], object]

OVERLAID = (
    "something else came to trace greenlets; what they call may be mixed in"
)


def root_of(module: ModuleType) -> Any:
    """Return the first greenlet of this thread, which stands for it."""
    found = module.getcurrent()
    while found.parent is not None:
        found = found.parent
    return found


class Tracer:
    """greenlet's trace function of one thread, before the one it found."""

    def __init__(self, switches: GreenletTurns, previous: Trace | None):
        self._switches = switches
        self.previous = previous

    def __call__(self, event: str, greenlets: tuple[Any, Any]) -> None:
        """Take the profile off who leaves, put it on who comes."""
        origin, target = greenlets
        self._switches.leaving(origin)
        if self.previous is not None:
            try:
                self.previous(event, greenlets)
            except Exception:
                # greenlet drops a trace function that raises; so do we.
                self.previous = None
        self._switches.coming(target)


class GreenletTurns:
    """Turns parts on and off with the greenlets that they belong to.

    Greenlets are known by their ids: who held one would keep it from the
    end that an abandoned greenlet comes to.
    """

    def __init__(self, module: ModuleType, hands: Hands, slot: Slot) -> None:
        self._greenlet = module
        self._hands = hands
        self._slot = slot
        self._parts: dict[int, Part] = {}
        # By thread: the trace function there and how many parts need it.
        self._tracers: dict[int, tuple[Tracer, list[int]]] = {}

    def begin(self, part: Part) -> str | None:
        """Turn *part* on for this greenlet; why not, if it cannot be."""
        here = id(self._greenlet.getcurrent())
        root = root_of(self._greenlet)
        if here in self._parts:
            return BUSY
        if PROCESS_WIDE and self._slot.owner not in (None, root):
            return BUSY
        if self._hands.taken():
            return TAKEN if PROCESS_WIDE else TAKEN_THREAD
        if PROCESS_WIDE and not self._claimed(root):
            return TAKEN
        self._parts[here] = part
        try:
            self._trace(id(root), here)
            self._hands.resume(part)
        except BaseException:
            self.end(part)
            raise
        return None

    def end(self, part: Part) -> None:
        """Turn *part* off, and greenlet's trace function with the last."""
        here = id(self._greenlet.getcurrent())
        if self._parts.get(here) is not part:
            # Forgotten meanwhile, in a process that was forked off.
            return
        # From here, as deep as begin() resumes: see stop().
        self._hands.stop(part)
        del self._parts[here]
        if not self._untrace(id(root_of(self._greenlet)), here):
            part.refuse(OVERLAID)
        if PROCESS_WIDE and not self._parts:
            self._hands.release()
            self._slot.clear()

    def leaving(self, greenlet: object) -> None:
        """Pause the profile of *greenlet*, if it has one."""
        part = self._parts.get(id(greenlet))
        if part is not None:
            self._hands.pause(part)

    def coming(self, greenlet: object) -> None:
        """Resume the profile of *greenlet*, if it has one."""
        part = self._parts.get(id(greenlet))
        if part is not None:
            self._hands.resume(part)

    def forget(self) -> None:
        """Turn everything off: this is a process forked off another."""
        part = self._parts.get(id(self._greenlet.getcurrent()))
        if part is not None:
            self._hands.stop(part)
        if PROCESS_WIDE and self._parts:
            self._hands.release()
            self._slot.clear()
        self._parts.clear()
        self._tracers.clear()
        tracer = self._greenlet.gettrace()
        if isinstance(tracer, Tracer):
            self._greenlet.settrace(tracer.previous)

    def _claimed(self, root: object) -> bool:
        if self._slot.owner is root:
            return True
        if not self._slot.take(root):
            return False
        if self._hands.claim():
            return True
        self._slot.clear()
        return False

    def _trace(self, root: int, here: int) -> None:
        tracer, users = self._tracers.get(root, (None, []))
        found = self._greenlet.gettrace()
        if tracer is None or (found is not tracer and not users):
            tracer = Tracer(self, found)
            self._greenlet.settrace(tracer)
        users.append(here)
        self._tracers[root] = (tracer, users)

    def _untrace(self, root: int, here: int) -> bool:
        """Return whether the trace function was ours to the end."""
        tracer, users = self._tracers.get(root, (None, []))
        in_place = self._greenlet.gettrace() is tracer
        if here in users:
            users.remove(here)
        if tracer is not None and not users:
            del self._tracers[root]
            # One that came later has ours behind it: ours does nothing.
            if in_place:
                self._greenlet.settrace(tracer.previous)
        return in_place
