# SPDX-License-Identifier: Apache-2.0
"""Engine that counts and times every call of a chosen request: cProfile.

A profile is on while the request's own code runs, the steps of its body
included, and at no other time. Up to Python 3.11 several requests can be
profiled at once, and threads that work for one are added up. From 3.12 on
there is one profile in a process; a second request goes on without.
"""

from __future__ import annotations

import os
import weakref
from functools import cache

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.greenthreads import greenlet_module
from nova_profiler.capture.profilers import Note
from nova_profiler.capture.profilers.cprofile.greenlets import GreenletScope
from nova_profiler.capture.profilers.cprofile.scopes import (
    PROCESS_WIDE,
    ProcessScope,
    Scope,
    ThreadScope,
)
from nova_profiler.capture.profilers.cprofile.watch import CprofileWatch
from nova_profiler.profiles import CPROFILE

_engines: weakref.WeakSet[CprofileEngine] = weakref.WeakSet()


def engine(note: Note) -> CprofileEngine:
    """Return the engine; *note* counts what goes wrong."""
    made = CprofileEngine(note)
    _forget_in_children()
    _engines.add(made)
    return made


class CprofileEngine:
    """Profiles chosen requests with cProfile."""

    name = CPROFILE
    watches_all = False

    def __init__(self, note: Note) -> None:
        self._note = note
        self._native: Scope = ProcessScope() if PROCESS_WIDE else ThreadScope()
        self._green: Scope | None = None
        self._closed = False

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> CprofileWatch | None:
        """Return the watch of a chosen request; there is no interval."""
        if self._closed or not chosen:
            return None
        return CprofileWatch(self._note, self.scope_here, capture)

    def close(self) -> None:
        """Profile no more; what is on ends with its request's step."""
        self._closed = True

    def scope_here(self) -> Scope:
        """Return the way to turn a profile on in this thread."""
        module = greenlet_module()
        if module is None:
            return self._native
        if self._green is None:
            self._green = GreenletScope(module, self._native)
        return self._green

    def forget(self) -> None:
        """Turn off what a fork has taken along."""
        (self._green or self._native).forget()


@cache
def _forget_in_children() -> None:
    """Have processes forked from now on begin without a profile.

    One hook for all engines, since os has no way to take one back.
    """
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    for one in list(_engines):
        one.forget()
