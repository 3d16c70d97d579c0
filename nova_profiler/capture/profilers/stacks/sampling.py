# SPDX-License-Identifier: Apache-2.0
"""The reader's other end: starts it, tries it out, hands out its answers.

One thread of the system does that. No request waits for it, nor it for one.
"""

from __future__ import annotations

import os
from time import monotonic
from types import ModuleType
from typing import Any

from nova_profiler.capture.greenthreads import Wakeup
from nova_profiler.capture.profilers import Note
from nova_profiler.capture.profilers.stacks.child import Child
from nova_profiler.capture.profilers.stacks.result import GREEN, attach_result
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.starting import (
    StacksError,
    advice_on,
    started,
)
from nova_profiler.capture.profilers.stacks.watch import StacksWatch
from nova_profiler.capture.profilers.tracers import (
    allow_tracer,
    be_dumpable,
    has_changed_user,
)

# Requests whose stacks may be on their way.
MOST_ASKED = 256
# How long they may take, and how often that is looked at.
LATE_S = 10.0
TICK_S = 5.0

NOT_BEGUN = "the reader of stacks had not begun when the request ended"
BUSY = "the reader of stacks had too much to answer"
LATE = "the reader of stacks did not answer"
ENDED = "the reader of stacks ended before it answered"


class Sampling:
    """One reader, from its start to its end."""

    def __init__(
        self,
        note: Note,
        may_be_dumpable: bool = False,
        greenlets: ModuleType | None = None,
    ) -> None:
        """*greenlets* is greenlet if requests are. May raise OSError."""
        self._greenlets = greenlets
        self.slots = Slots()
        self._note = note
        self._may_be_dumpable = may_be_dumpable
        self._is_made_dumpable = False
        self._sees_parked = False
        # A forked process has all this and no thread that looks after it.
        self._pid = os.getpid()
        self._child: Child | None = None
        # By the number of the request: who asked, and until when.
        self._asked: dict[int, tuple[StacksWatch, float]] = {}
        self._over = Wakeup()
        self._closing = False
        # It saw this process rightly; it has ended; it never can see it.
        self.has_worked = self.is_over = self.is_refused = False
        self._worked_at = self._ended_at = 0.0

    def wake(self) -> None:
        """Have the reader look, if it sleeps."""
        child = self._child
        if child is not None:
            child.wake()

    def keep(self, watch: StacksWatch) -> str | None:
        """Have *watch* get its stacks; return why it cannot, or None."""
        child = self._child
        if child is None or self.is_over:
            return NOT_BEGUN
        if len(self._asked) >= MOST_ASKED:
            self._note("stacks_asked")
            return BUSY
        self._asked[watch.number] = watch, monotonic() + LATE_S
        pieces = watch.clocks_of_pieces()
        if child.ask("keep", watch.number, pieces, *watch.clocks()):
            return ENDED if self._is_lost(watch.number) else None
        self._asked.pop(watch.number, None)
        self._note("stacks_asked")
        return BUSY

    def _is_lost(self, number: int) -> bool:
        """Return whether no reader is left for what was just asked."""
        return self.is_over and self._asked.pop(number, None) is not None

    def worked_s(self) -> float:
        """Return how long the reader was at work, once it is over."""
        return self._ended_at - self._worked_at if self.has_worked else 0.0

    def close(self) -> None:
        """End the reader, after what it was asked."""
        self._closing = True
        child = self._child
        if child is not None:
            child.ask("end")

    def wait_over(self, seconds: float) -> bool:
        """Return whether all is over within *seconds*."""
        if self.is_over or self._pid != os.getpid():
            return True
        return self._over.wait(seconds)

    def supervise(self) -> None:
        """Start the reader, and hand out its answers until it ends."""
        child = None
        try:
            child = self._begun()
            self._worked_at = monotonic()
            self.has_worked = True
            self._child = child
            while not self._closing or self._asked:
                self._take(child.answer(TICK_S))
        except EOFError:
            if not self._closing:
                self._note("stacks_ended")
        except Exception as exc:
            self._note("stacks", exc)
        finally:
            self._ended_at = monotonic()
            self.is_over, self._child = True, None
            self._end(child)
            self._over.wake()

    def _begun(self) -> Child:
        """Return a reader that sees this process rightly."""
        if self._may_be_dumpable and has_changed_user():
            self._is_made_dumpable = True
            be_dumpable(True)
        try:
            child = started(self.slots, self._greenlets)
        except StacksError as exc:
            self.is_refused = exc.is_final
            raise
        self._sees_parked = child.sees_parked
        return child

    def _take(self, answer: dict[str, Any] | None) -> None:
        if answer is not None and "refused" in answer:
            raise StacksError(advice_on(str(answer["refused"])))
        if answer is not None and "failed" in answer:
            raise StacksError(f"the reader failed, {answer['failed']}")
        if answer is not None and "request" in answer:
            asked = self._asked.pop(answer["request"], None)
            if asked is not None:
                self._attach(asked[0], answer, None)
        now = monotonic()
        for number, (watch, until) in list(self._asked.items()):
            if until < now and self._asked.pop(number, None) is not None:
                self._note("stacks_late")
                self._attach(watch, {}, LATE)

    def _attach(
        self, watch: StacksWatch, answer: dict[str, Any], trouble: str | None
    ) -> None:
        try:
            is_green = self._greenlets is not None
            notes = [GREEN] if is_green and not self._sees_parked else []
            if trouble is not None:
                notes = [trouble]
            attach_result(watch, answer, is_green, notes)
        except Exception as exc:
            self._note("profile", exc)

    def _end(self, child: Child | None) -> None:
        for watch, _ in list(self._asked.values()):
            self._attach(watch, {}, ENDED)
        self._asked.clear()
        allow_tracer(0)
        if self._is_made_dumpable:
            be_dumpable(False)
        self.slots.close_file()
        if child is not None:
            child.close()
