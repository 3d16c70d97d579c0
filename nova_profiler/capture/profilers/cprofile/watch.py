# SPDX-License-Identifier: Apache-2.0
"""The profile of one request, on while the request's own code runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.current import active
from nova_profiler.capture.profilers import Note
from nova_profiler.capture.profilers.cprofile.notes import (
    LEFT_OUT,
    notes_of,
    sees_all_threads,
)
from nova_profiler.capture.profilers.cprofile.scopes import Part, Scope
from nova_profiler.capture.profilers.cprofile.table import (
    calls_of,
    content_of,
    table_of,
)
from nova_profiler.capture.profilers.spawners import spawner
from nova_profiler.profiles import CALLS_SUFFIX, CPROFILE
from nova_profiler.record import Attach, RequestRecord

# A body of more steps is not profiled to its end.
MAX_STEPS = 10_000
# Threads of one request that are profiled.
MAX_PARTS = 64
MAX_BYTES = 16 * 1024 * 1024

TOO_MANY_STEPS = f"the body went on after its first {MAX_STEPS} steps"
TOO_MANY_PARTS = f"more than {MAX_PARTS} threads worked for the request"
FAILED = "cProfile could not be turned on"

# Every request makes a capture as it begins: a profile that sees all threads
# counts these calls, and so the requests that came while it was on.
_BEGIN = Capture.__init__.__code__


class CprofileWatch:
    """The profile of one request."""

    def __init__(
        self, note: Note, scope_here: Callable[[], Scope], capture: Capture
    ) -> None:
        """*scope_here* returns the way to turn a profile on."""
        self._note = note
        self._scope_here = scope_here
        self._request = id(capture)
        self._main = Part()
        self._parts = [self._main]
        self._workers = 0
        self._over = False
        # Requests that were there at the end of the last step.
        self._others: set[int] = set()
        self._overlapped = 0
        self._profile: dict[str, Any] = {}

    def run(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Return ``function(*args)``, profiled if that can be."""
        return self._run(self._main, function, *args)

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* with a profile of its own, to be added."""
        if self._over:
            return function
        self._workers += 1
        if sees_all_threads(self._main):
            # One profile is all there can be, and it has them already.
            return function
        if len(self._parts) > MAX_PARTS:
            self._main.refuse(TOO_MANY_PARTS)
            return function
        frame = spawner()
        part = Part(None if frame is None else frame.f_code)
        self._parts.append(part)
        return partial(self._run, part, function)

    def finish(self, record: RequestRecord) -> None:
        """Describe the profile in *record*; the dump has the file made."""
        self._over = True
        profiles = [part.profile for part in self._parts if part.steps]
        if profiles:
            record.profiled = self
            if sees_all_threads(self._main):
                self._overlapped += calls_of(profiles, _BEGIN)
        else:
            self._note("cprofile_skipped")
        record.profile = self._profile = {
            "engine": CPROFILE,
            "file": None,
            "notes": list(
                notes_of(self._parts, self._overlapped, self._workers)
            ),
        }
        if profiles and self._overlapped:
            self._profile["overlapped"] = self._overlapped

    def attach(self, attach: Attach) -> None:
        """Write the file beside the dump."""
        content, missing = content_of(
            table_of(part for part in self._parts if part.steps),
            MAX_BYTES,
        )
        if missing:
            self._profile["notes"].append(LEFT_OUT.format(missing))
        attach(CALLS_SUFFIX, content, self._profile)

    def _run(
        self,
        part: Part,
        call: Callable[..., Any],
        /,
        *args: Any,
        **kw: Any,
    ) -> Any:
        if not self._begin(part):
            return call(*args, **kw)
        try:
            return call(*args, **kw)
        finally:
            try:
                self._end(part)
            except Exception:
                # A thread must not be profiled for ever.
                self._end(part)

    def _begin(self, part: Part) -> bool:
        """Turn *part* on, and return whether it is."""
        if part.running or self._over or (part.refused and not part.steps):
            return False
        if part.steps >= MAX_STEPS:
            part.refuse(TOO_MANY_STEPS)
            return False
        try:
            scope = part.scope = part.scope or self._scope_here()
            self._count_others()
            steps = part.steps + 1
            refused = scope.begin(part)
        except Exception as exc:
            self._note("cprofile", exc)
            refused = FAILED
        # What follows a success must call nothing: it would be profiled.
        if refused is None:
            part.running = True
            part.steps = steps
            return True
        part.refuse(refused)
        return False

    def _end(self, part: Part) -> None:
        """Turn *part* off; first of all, since all of this is in it."""
        try:
            # Set when it began; no call may stand before this one.
            part.scope.end(part)  # type: ignore[union-attr]
        except Exception as exc:
            # Once more: a thread must not be profiled for ever.
            part.scope.end(part)  # type: ignore[union-attr]
            self._note("cprofile", exc)
        part.running = False
        try:
            self._others = set(active)
        except Exception as exc:
            self._note("cprofile", exc)

    def _count_others(self) -> None:
        """Count the requests that came since the last step."""
        if sees_all_threads(self._main):
            others = set(active) - self._others
            others.discard(self._request)
            self._overlapped += len(others)
