# SPDX-License-Identifier: Apache-2.0
"""Opens dumps in a thread of its own, so that no page waits for long."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress

from nova_profiler.web.index import Index
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.table import Table
from nova_profiler.web.together.adding_up import (
    MOST_LOOKED_AT,
    NEWEST,
    SLOWEST,
    Opened,
    Sums,
    readable,
    slowest_first,
    unfinished,
)

# So long a page waits; then it says how far the opening is.
PATIENCE_S = 1.5
# Sums of one choice of dumps each; a page of stacks is asked for often.
MOST_KEPT = 6
_Key = tuple[str, tuple[str, ...]]


class _Job:
    """Some dumps to open; its result is there once it is ``done``."""

    def __init__(self, index: Index, order: str, rows: Sequence[Row]) -> None:
        self.done = threading.Event()
        self._order = order
        self._rows = rows
        self._sums = Sums(index, self._order)
        self._result: Opened | None = None
        self._problem = ""

    def run(self) -> None:
        """Open the dumps; a failure of ours becomes the problem."""
        try:
            self._sums.add_all(self._rows)
            self._result = self._sums.result()
        except Exception as exc:
            # The thread goes on with the next job.
            self._problem = f"dumps cannot be read: {type(exc).__name__}"
        self.done.set()

    def opened(self) -> Opened:
        """Return the sums, or how far the opening is."""
        if self._result is not None:
            return self._result
        has_failed = self.done.is_set()
        found = unfinished(self._order, self._sums.opened, self._problem)
        return found._replace(is_done=has_failed)


class Opener:
    """Opens dumps of an index; what was added up last is kept.

    Its thread is there while there is something to open.
    """

    def __init__(self, index: Index, patience_s: float = PATIENCE_S) -> None:
        self._index = index
        self._patience_s = patience_s
        self._jobs: OrderedDict[_Key, _Job] = OrderedDict()
        self._waiting: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def of(self, rows: Table, order: str = NEWEST) -> Opened:
        """Return the sums of the first of *rows* in *order*.

        *rows* are newest first. Only those whose dumps have been read, and
        whose worker was not killed, are opened.
        """
        able = readable(rows, len(self._index.stores))
        if order == SLOWEST:
            able = slowest_first(able)
        job = self._job(order, able[:MOST_LOOKED_AT])
        job.done.wait(self._patience_s)
        return job.opened()._replace(of=len(rows))

    def _job(self, order: str, rows: Sequence[Row]) -> _Job:
        key = order, tuple(row.key for row in rows)
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(self._index, order, rows)
                self._waiting.append(job)
            self._jobs.move_to_end(key)
            if len(self._jobs) > MOST_KEPT:
                _, dropped = self._jobs.popitem(last=False)
                # No page waits for it any more.
                with suppress(ValueError):
                    self._waiting.remove(dropped)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="nova-profiler-dumps", daemon=True
                )
                self._thread.start()
        return job

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                job = self._waiting.popleft()
            job.run()
