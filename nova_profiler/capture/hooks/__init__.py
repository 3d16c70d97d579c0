# SPDX-License-Identifier: Apache-2.0
"""Hooks: each file adds the calls of one source to the current lane.

A hook module has a function ``install(...)`` that puts the hook in place
and returns the function that takes it away again. Installing twice is the
same as once; the hook goes when the last of its installers undid it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from nova_profiler.errors import NovaProfilerError

Undo = Callable[[], None]


class HookLock:
    """A lock that no forked process finds held: the lock is ``now``.

    A thread that has it may take it again: the garbage collector may call
    what wants it wherever it is held.
    """

    def __init__(self) -> None:
        self._renew()
        # The thread that held it does not come along.
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.now = threading.RLock()


class Shared:
    """A replacement that installers share: in place once for all of them."""

    def __init__(self) -> None:
        self.lock = HookLock()
        self.installers = 0
        self._undo: Undo = lambda: None

    def install(self, begin: Callable[[], Undo]) -> Undo:
        """Have the first installer call *begin*; return what undoes this call.

        The last installer to undo, however often it does, runs what *begin*
        returned. Raises what *begin* raises, and then counts no installer.
        """
        with self.lock.now:
            if self.installers == 0:
                self._undo = begin()
            self.installers += 1
        done = False

        def undo() -> None:
            nonlocal done
            with self.lock.now:
                if done:
                    return
                done = True
                self.installers -= 1
                if self.installers == 0:
                    self._undo()

        return undo


class HookError(NovaProfilerError):
    """A hook cannot be installed here; the text has the reason."""
