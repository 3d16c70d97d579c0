# SPDX-License-Identifier: Apache-2.0
"""cProfile for greenlets: each profile is on only while its greenlet runs.

greenlet leaves a thread's profiler on when it switches, so that a plain
cProfile takes the calls of all greenlets for those of one. Here a trace
function of greenlet's own turns profiles off and on at each switch; it is in
place only while a request is profiled. Turning a profile off ends the calls
that are open: their cumulative time stops there, while the number of calls
and the own time of each function are right.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from nova_profiler.capture.greenthreads import first_greenlet
from nova_profiler.capture.profilers.cprofile.scopes import BUSY, Part, Scope

Trace = Callable[[str, tuple[Any, Any]], object]

OVERLAID = (
    "something else came to trace greenlets; what they call may be mixed in"
)


class Tracer:
    """greenlet's trace function of one thread, before the one it found."""

    def __init__(self, scope: GreenletScope, previous: Trace | None) -> None:
        self._scope = scope
        self.previous = previous

    @property
    def is_idle(self) -> bool:
        """Return whether no greenlet needs it, in any thread."""
        return not self._scope.has_parts

    def __call__(self, event: str, greenlets: tuple[Any, Any]) -> None:
        """Take the profile off the greenlet that leaves, put on the next."""
        origin, target = greenlets
        self._scope.leaving(origin)
        if self.previous is not None:
            try:
                self.previous(event, greenlets)
            except Exception:
                # greenlet drops a trace function that raises; so do we.
                self.previous = None
        self._scope.coming(target)


class GreenletScope:
    """Turns parts on and off with the greenlets that they belong to.

    Greenlets are known by their ids: a reference would keep an abandoned
    greenlet from being collected.
    """

    sees_all_threads = False
    cuts_calls = True

    def __init__(self, module: ModuleType, native: Scope) -> None:
        """*module* is greenlet, *native* turns on while no switch happens."""
        self._greenlet = module
        self._native = native
        self._parts: dict[int, Part] = {}
        # By a thread's first greenlet: its trace function, and which
        # greenlets need that.
        self._tracers: dict[int, tuple[Tracer, set[int]]] = {}

    @property
    def has_parts(self) -> bool:
        """Return whether something is profiled, in any thread."""
        return bool(self._parts)

    def begin(self, part: Part) -> str | None:
        """Turn *part* on for this greenlet; return why not."""
        here = id(self._greenlet.getcurrent())
        if here in self._parts:
            return BUSY
        self._parts[here] = part
        try:
            self._trace(here)
            refused = self._native.begin(part)
        except BaseException:
            self.end(part)
            raise
        if refused is not None:
            self.end(part)
        return refused

    def end(self, part: Part) -> None:
        """Turn *part* off, and greenlet's trace function with the last."""
        if part.is_on:
            self._native.end(part)
        here = id(self._greenlet.getcurrent())
        if self._parts.get(here) is not part:
            # Forgotten meanwhile, in a process that was forked off.
            return
        del self._parts[here]
        if not self._untrace(here):
            part.refuse(OVERLAID)

    def leaving(self, greenlet: object) -> None:
        """Turn the profile of *greenlet* off, if it has one."""
        part = self._parts.get(id(greenlet))
        if part is not None and part.is_on:
            self._native.end(part)

    def coming(self, greenlet: object) -> None:
        """Turn the profile of *greenlet* on again, if it has one."""
        part = self._parts.get(id(greenlet))
        if part is not None and not part.is_on:
            refused = self._native.begin(part)
            if refused is not None:
                part.refuse(refused)

    def forget(self) -> None:
        """Turn everything off: this is a process forked off another."""
        self._native.forget()
        self._parts.clear()
        self._tracers.clear()
        tracer = self._greenlet.gettrace()
        if isinstance(tracer, Tracer):
            self._greenlet.settrace(tracer.previous)

    def _trace(self, here: int) -> None:
        thread = id(first_greenlet(self._greenlet))
        tracer, users = self._tracers.get(thread, (None, set()))
        found = _in_use(self._greenlet.gettrace())
        if tracer is None:
            tracer = Tracer(self, found)
            self._greenlet.settrace(tracer)
        users.add(here)
        self._tracers[thread] = (tracer, users)

    def _untrace(self, here: int) -> bool:
        """Return whether the trace function was ours to the end."""
        thread = id(first_greenlet(self._greenlet))
        tracer, users = self._tracers.get(thread, (None, set()))
        in_place = self._greenlet.gettrace() is tracer
        users.discard(here)
        if tracer is not None and not users:
            del self._tracers[thread]
            # One that came later has ours behind it: ours does nothing.
            if in_place:
                self._greenlet.settrace(_in_use(tracer.previous))
        return in_place


def _in_use(trace: Trace | None) -> Trace | None:
    """Return *trace*, or what is behind it if it is ours and idle.

    An engine that another has replaced would leave its own there for ever.
    """
    while isinstance(trace, Tracer) and trace.is_idle:
        trace = trace.previous
    return trace
