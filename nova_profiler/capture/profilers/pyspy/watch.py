# SPDX-License-Identifier: Apache-2.0
"""One request that py-spy takes stacks of, and all such requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from nova_profiler.capture.profilers.pyspy.request_tags import Tag, TagPool
from nova_profiler.capture.profilers.pyspy.stacks import Stacks
from nova_profiler.dump_store.processes import this_process
from nova_profiler.profiles import PYSPY
from nova_profiler.profiles.pending import FOLLOWS, PENDING
from nova_profiler.record import Attach, RequestRecord

SILENT = "py-spy no longer looked for this request: it did nothing for long"
CHANGED = "py-spy was turned off before this request was over"
# A request in which nothing happens for this long is let go: its client is
# slow, or its server never closes the body.
SILENT_S = 60.0
# How long after its end a request may still turn out to be one to keep.
DECISION_S = 2.0

Result = TypeVar("Result")


class PyspyWatch:
    """A request that runs under a tag of its own."""

    __slots__ = (
        "_call",
        "_released",
        "_watches",
        "_working",
        "attach_to",
        "began",
        "covered_s",
        "covered_until",
        "cpu_s",
        "done",
        "duration_s",
        "ended",
        "is_chosen",
        "is_let_go",
        "left",
        "profile",
        "seen_s",
        "stacks",
        "started_at",
        "tag",
        "title",
    )

    def __init__(self, watches: Watches, tag: Tag, is_chosen: bool) -> None:
        self._watches = watches
        # Its profile was asked for, whether or not it takes long.
        self.is_chosen = is_chosen
        self._call = tag.call
        self.tag = tag
        # Threads that work for the request; when one last stopped.
        self._working: list[None] = []
        self._released = False
        self.began = self.covered_until = self.left = monotonic()
        self.ended = 0.0
        # It was given up before its end: its stacks are not kept.
        self.is_let_go = False
        self.covered_s = 0.0
        # The same, but twice where two recordings overlap.
        self.seen_s = 0.0
        # Its stacks were handed over, or are not wanted any more.
        self.done = False
        self.stacks: Stacks | None = None
        self.attach_to: Attach | None = None
        self.profile: dict[str, Any] = {}
        self.title = ""
        self.duration_s = self.cpu_s = 0.0
        self.started_at = ""

    def run(
        self, function: Callable[..., Result], /, *args: Any, **kwargs: Any
    ) -> Result:
        """Return what *function* does, called under the tag."""
        if self.ended:
            # The tag may be another request's by now.
            return function(*args, **kwargs)
        working = self._working
        # First this, then the question: release() does it the other way
        # round, so that one of them sees the other.
        working.append(None)
        try:
            if self._released:
                return function(*args, **kwargs)
            result: Result = self._call(function, *args, **kwargs)
            return result
        finally:
            working.pop()
            self.left = monotonic()

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* to be called under the tag, in any thread."""
        return partial(self.run, function)

    def finish(self, record: RequestRecord) -> None:
        """Note in *record* that stacks follow, and wait for attach()."""
        note = FOLLOWS
        if self._watches.is_closed:
            note = CHANGED
        elif self.is_let_go:
            note = SILENT
        record.profile = self.profile = {
            "engine": PYSPY,
            "file": None,
            "notes": [note],
        }
        if note is not FOLLOWS:
            self.ended = self.ended or monotonic()
            return
        record.profiled = self
        self.title = f"{record.method} {record.route}"
        self.duration_s = record.duration_ms / 1000
        self.cpu_s = (record.cpu_ms or 0.0) / 1000
        self.started_at = record.started_at
        self.ended = monotonic()

    def attach(self, attach: Attach) -> None:
        """Keep *attach* for the time when the stacks are there.

        The dump names the process that they come from: once that has ended
        without them, they are lost.
        """
        with suppress(OSError):
            self.profile[PENDING] = str(this_process())
        self.attach_to = attach
        self._watches.kept_at = monotonic()

    def cover(self, began: float, ended: float) -> None:
        """Note that py-spy was at work from *began* to *ended*."""
        end = min(ended, self.ended or ended)
        self.seen_s += max(0.0, end - max(began, self.began))
        start = max(began, self.covered_until)
        if end > start:
            self.covered_s += end - start
            self.covered_until = end

    def is_over(self, asked: float | None) -> bool:
        """Return whether no recording from *asked* on can see it."""
        if not self.ended:
            return False
        return asked is None or max(self.ended, self.left) < asked

    def let_go(self) -> None:
        """Take it for ended, as far as py-spy goes."""
        self.is_let_go = True
        self.ended = monotonic()

    def is_silent(self, since: float) -> bool:
        """Return whether nothing has been done for it since *since*."""
        return not self.ended and not self._working and self.left < since

    def is_dropped(self, now: float) -> bool:
        """Return whether it ended and was not one to keep."""
        return self.attach_to is None and (0.0 < self.ended < now - DECISION_S)

    def release(self) -> bool:
        """Give the tag up, unless a thread still works under it."""
        self._released = True
        if self._working:
            self._released = False
            return False
        return True


class Watches:
    """The requests of one process whose tags may be in a recording."""

    def __init__(self, pool: TagPool) -> None:
        self.pool = pool
        self.live: dict[str, PyspyWatch] = {}
        # The engine has ended, and hands no more stacks over.
        self.is_closed = False
        # When the last request began, and when the last one to keep ended.
        self.began_at = 0.0
        self.kept_at = 0.0

    def begin(self, is_chosen: bool = False) -> PyspyWatch | None:
        """Return the watch of a request that begins, if a tag is left."""
        tag = self.pool.take()
        if tag is None:
            return None
        watch = self.live[tag.name] = PyspyWatch(self, tag, is_chosen)
        self.began_at = watch.began
        return watch

    def has_worthy(self, began: float) -> bool:
        """Return whether a request is on that was chosen or takes long.

        One takes long if it began before *began*.
        """
        return any(
            not watch.ended and (watch.is_chosen or watch.began < began)
            for watch in list(self.live.values())
        )

    def let_silent_go(self, now: float) -> None:
        """Let requests go in which nothing happens."""
        for watch in list(self.live.values()):
            if watch.is_silent(now - SILENT_S):
                watch.let_go()

    def release(self, watch: PyspyWatch) -> None:
        """Make the tag of *watch* free for others, if it can be."""
        if watch.release():
            self.live.pop(watch.tag.name, None)
            self.pool.give_back(watch.tag)
