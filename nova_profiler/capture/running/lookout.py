# SPDX-License-Identifier: Apache-2.0
"""Keeps track of the requests that are on, in one thread of the process.

It answers what asks for them, keeps a file for each that takes long, and
looks for the requests whose worker was killed. A request passes none of this,
but for the one that logs what was found.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter
from weakref import WeakSet

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.current import active
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.greenthreads import nap, start_thread
from nova_profiler.capture.running.killed_workers import KilledWorkers
from nova_profiler.capture.running.open_calls import open_calls_of
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.dump_store.asking import Listener
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.processes import this_process
from nova_profiler.dump_store.running import (
    SOCKET_SUFFIX,
    opened_running,
    write_trace,
)
from nova_profiler.record import KILLED, RUNNING, RequestRecord
from nova_profiler.trust.folders import UntrustedFolder

# The thread wakes as often, or when it is asked, and writes a request's file
# as often.
TICK_S = 1.0
# It wakes before that where a request is about to be slow, and no sooner than
# this: a worker may be killed soon after.
SHORTEST_S = 0.2
# Traces of other workers are looked for as often.
TRACES_EVERY_S = 10.0
# What one process writes each second, and what it answers.
MAX_FILES = 50
MAX_ANSWERED = 1_000
# Failures that one request logs.
MAX_NOTES = 100

_numbers = count(1)

# Makes the record of a capture that is on: what all records have.
Describe = Callable[[Capture, float], RequestRecord]


class Lookout:
    """The requests that are on in this process, for whatever asks."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        live: LiveSettings,
        describe: Describe,
        deliver: Callable[[RequestRecord], None],
        failures: Failures,
    ) -> None:
        """Keep files below *directory*; nothing is made before start().

        *deliver* takes the record of a request whose worker was killed.
        """
        self._directory = Directory(directory)
        self._live = live
        self._describe = describe
        self._failures = failures
        self._killed = KilledWorkers(self._directory, live, deliver, failures)
        self._pid = 0
        self._starts: dict[int, object] = {}
        self._name = ""
        self._listener: Listener | None = None
        self._closing = False
        self._traces_at = 0.0
        # For the thread of a request to log.
        self._has_news = False
        self._notes: deque[tuple[str, Exception]] = deque(maxlen=MAX_NOTES)
        self._written: dict[str, tuple[Capture, float]] = {}
        self._wait_s = TICK_S

    def start(self) -> None:
        """Start the thread, unless it runs in this process. Never raises."""
        pid = os.getpid()
        if self._pid == pid:
            return
        # No lock, since a fork may copy one that is held: the first to put
        # its token there starts the thread.
        token = object()
        if self._starts.setdefault(pid, token) is not token:
            return
        self._pid = pid
        self._closing = False
        self._written = {}
        inherited, self._listener = self._listener, None
        try:
            if inherited is not None:
                inherited.let_go()
            start_thread(self.watch)
        except Exception as exc:
            # No more threads: a later request tries again.
            self._failures.note("running", exc)
            self._ended()

    def close(self) -> None:
        """Have the thread end soon; what it listens on is gone at once."""
        self._closing = True
        atexit.unregister(self.close)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def watch(self) -> None:
        """Look after the requests of this process until close()."""
        try:
            self._name = f"{this_process()}-{secrets.token_hex(4)}"
            atexit.register(self.close)
            while not self._closing:
                self._see_traces()
                self._serve()
                if not self._closing:
                    self.tick()
        except Exception as exc:
            self._note("running", exc)
            self._ended()

    def _ended(self) -> None:
        self._starts.pop(self._pid, None)
        self._pid = 0

    def _serve(self) -> None:
        """Answer what asks until the next tick."""
        try:
            with opened_running(self._directory, make=True) as folder:
                listener = self._listen(folder)
            listener.serve(self._wait_s, self.answer)
            return
        except UntrustedFolder:
            # The dumps have a line in the log for it.
            pass
        except OSError as exc:
            # Closed meanwhile, or a file system without sockets.
            if not self._closing:
                self._note("running_socket", exc)
        nap(self._wait_s)

    def _listen(self, folder: Path) -> Listener:
        """Return what listens in *folder*, made if it is not there."""
        # close() may take it away at any moment.
        former = self._listener
        if former is not None:
            if former.is_in(folder):
                return former
            self._listener = None
            former.close()
        _let_go_in_children()
        name = self._name + SOCKET_SUFFIX
        listener = self._listener = Listener(folder, name)
        _open.add(listener)
        if self._closing:
            listener.close()
        return listener

    def answer(self) -> bytes:
        """Return the records of all requests that are on, as JSON."""
        mine = self._mine()
        records = self._records(mine[:MAX_ANSWERED], RUNNING)
        requests = [record.to_dict() for record in records]
        fields = {"on": len(mine), "requests": requests}
        return json.dumps(fields, separators=(",", ":")).encode()

    def tick(self) -> None:
        """Write the files of requests that take long. Never raises."""
        self._wait_s = TICK_S
        try:
            self._drop()
            now = perf_counter()
            since = now - self._live.current.slow_ms / 1000
            # The longest first: those that are not slow yet are the last.
            mine = self._mine()
            slow = [one for one in mine if one.started <= since]
            if len(slow) < len(mine):
                until_slow_s = mine[len(slow)].started - since
                self._wait_s = min(TICK_S, max(SHORTEST_S, until_slow_s))
            due = [one for one in slow[:MAX_FILES] if self._is_due(one, now)]
            if due:
                self._write(due, now)
        except UntrustedFolder:
            # The dumps have a line in the log for it.
            return
        except Exception as exc:
            self._note("running", exc)

    def _is_due(self, capture: Capture, now: float) -> bool:
        """Return whether the file of *capture* was not written just now."""
        written = self._written.get(capture.trace or "")
        return written is None or now - written[1] >= TICK_S - SHORTEST_S / 2

    def _mine(self) -> list[Capture]:
        """Return what this worker serves, the longest first."""
        mine = [
            one
            for one in list(active.values())
            if not one.closed and one.served.lookout is self
        ]
        mine.sort(key=_started)
        return mine

    def _records(
        self, captures: list[Capture], outcome: str
    ) -> Iterable[RequestRecord]:
        now = perf_counter()
        opened = open_calls_of(captures, now)
        for one in captures:
            record = self._describe(one, now)
            record.outcome = outcome
            found = opened[id(one)]
            record.open_calls, record.open_stacks = found
            yield record

    def _write(self, due: list[Capture], now: float) -> None:
        # They are read when this worker has ended.
        records = self._records(due, KILLED)
        with opened_running(self._directory, make=True) as folder:
            for one, record in zip(due, records, strict=True):
                if one.trace is None:
                    one.trace = f"{self._name}-{next(_numbers)}.json"
                self._written[one.trace] = one, now
                write_trace(folder / one.trace, record)
                if one.closed:
                    # It has ended meanwhile, maybe before the file was
                    # there.
                    os.unlink(folder / one.trace)

    def _drop(self) -> None:
        """Forget files of requests that have ended, or are not known."""
        for trace, (one, _) in list(self._written.items()):
            if one.closed or id(one) not in active:
                del self._written[trace]
                # A request that has ended removes it, when its record is
                # out.
                if not one.closed:
                    self.remove(trace)

    def remove(self, trace: str) -> None:
        """Remove the file of a request that has ended. Never raises."""
        with suppress(Exception):
            with opened_running(self._directory) as folder:
                os.unlink(folder / trace)

    def _see_traces(self) -> None:
        """Look whether workers of this service have left any, now and then."""
        now = monotonic()
        if now < self._traces_at:
            return
        self._traces_at = now + TRACES_EVERY_S
        try:
            if self._killed.look():
                self._have_reported()
        except OSError:
            # Not there, or what lies there may be another user's.
            return
        except Exception as exc:
            self._note("running", exc)

    def _note(self, what: str, exc: Exception) -> None:
        """Have a failure noted, which may log it."""
        self._notes.append((what, exc.with_traceback(None)))
        self._have_reported()

    def _have_reported(self) -> None:
        """Have the next request call report().

        A handler's lock may be eventlet's: a thread of the system that
        waits for it would never be woken, nor would what waits for that.
        """
        self._live.check_at = 0.0
        self._has_news = True

    def report(self) -> None:
        """Log what was seen, in the thread of a request. Never raises."""
        if not self._has_news:
            return
        self._has_news = False
        with suppress(IndexError):
            while True:
                self._failures.note(*self._notes.popleft())
        try:
            self._killed.report()
        except OSError:
            # Not there, or what lies there may be another user's.
            return
        except Exception as exc:
            self._failures.note("running", exc)


def _started(capture: Capture) -> float:
    return capture.started


_open: WeakSet[Listener] = WeakSet()


@cache
def _let_go_in_children() -> None:
    """Have processes forked from now on listen on no socket of ours."""
    os.register_at_fork(after_in_child=partial(_let_go, _open))


def _let_go(listeners: Iterable[Listener]) -> None:
    for listener in list(listeners):
        with suppress(OSError):
            listener.let_go()
