# SPDX-License-Identifier: Apache-2.0
"""Looks at greenlets that do not run: their stacks are in their objects.

A greenlet that is switched out keeps the pointer to its last frame in what
its object points to; its frames stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable

from nova_profiler.capture.profilers.stacks.layouts import (
    GREENLET_STATE,
    Layout,
)
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.memory import Memory
from nova_profiler.capture.profilers.stacks.reader.stack.known_stack import (
    Counts,
)
from nova_profiler.capture.profilers.stacks.reader.stack.looks import (
    Marks,
    Seen,
    ThreadLooks,
)

# Greenlets in mind; further ones are read whole at each look. Those not seen
# lately go once a second.
_MOST = 1024
_KEPT = 256


class Parked:
    """The greenlets of one process, by the address of each."""

    def __init__(
        self,
        memory: Memory,
        layout: Layout,
        offset: int,
        names: Names,
        calls: Calls,
        counts: Counts,
    ) -> None:
        """*offset* is where a greenlet's state has the frame; 0: unknown."""
        self._memory = memory
        # What the state of a thread is to a thread.
        self._layout = layout._replace(
            thread_frame=offset,
            frame_in_cframe=-1,
            thread_chunk=-1,
            thread_top=-1,
        )
        self.is_known = offset > 0
        self._names = names
        self._calls = calls
        self._counts = counts
        self._known: dict[int, ThreadLooks] = {}
        # Those that were looked at since tidy() was called.
        self._seen: set[int] = set()

    def look(
        self, greenlet: int, still: Callable[[], Marks], root: Path
    ) -> Seen:
        """Return the stack in which *greenlet* is parked.

        Raises as ThreadLooks.look does: Unmarked if it is not parked.
        """
        state = self._memory.word(greenlet + GREENLET_STATE)
        looks = self._known.pop(state, None)
        if looks is None:
            looks = ThreadLooks(
                self._memory,
                state,
                self._layout,
                self._names,
                self._calls,
                self._counts,
                root,
                is_green=True,
            )
        if len(self._known) < _MOST:
            self._known[state] = looks
            self._seen.add(state)
        return looks.look(still, may_be_none=True)

    def tidy(self) -> None:
        """Forget what was not looked at lately, where there is much of it."""
        for state in list(self._known):
            if len(self._known) <= _KEPT:
                break
            if state not in self._seen:
                del self._known[state]
        self._seen.clear()

    def forget(self) -> None:
        """Begin anew."""
        self._known.clear()

    def forget_unsure(self) -> None:
        """Read stacks anew in which a function is another one by now."""
        for looks in self._known.values():
            looks.forget_unsure()
