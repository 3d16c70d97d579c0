# SPDX-License-Identifier: Apache-2.0
"""One request and its response, timed to the end of the body."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from nova_profiler.capture import garbage_collector
from nova_profiler.capture.current import active
from nova_profiler.capture.served.wsgi_bodies import followed, is_whole
from nova_profiler.capture.served.wsgi_facts import REQUEST_ID, WsgiFacts
from nova_profiler.capture.served.wsgi_identity import without_context
from nova_profiler.capture.served.wsgi_response import (
    NO_STATUS,
    Response,
    status_of,
)
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import (
    FAILED,
    OK,
    UNANSWERED,
    RequestRecord,
)
from nova_profiler.record.trace_parents import HEADER, trace_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from nova_profiler.capture.served.worker import Worker

# Where the environ holds the capture: a filter further in leaves it alone.
ENVIRON_KEY = "nova_profiler.capture"
_NO_ENVIRON: dict[str, Any] = {}


class Exchange(Response):
    """One request and its response, from the first to the last moment.

    Implements Served for its own capture.
    """

    __slots__ = (
        "_app_end",
        "_before",
        "_environ",
        "_facts",
        "_settings",
        "capture",
        "is_done",
        "path",
    )

    def __init__(
        self,
        worker: Worker,
        facts: WsgiFacts,
        settings: Settings,
        environ: dict[str, Any],
        start_response: StartResponse,
    ) -> None:
        # Those of Response, too: a call to it would cost each request.
        self._worker = worker
        self._facts = facts
        self._settings = settings
        self._start_response = start_response
        self._status = NO_STATUS
        self._headers = ()
        self._write = None
        self._write_failed = False
        self._app_end: float | None = None
        # Whether the clock has stopped.
        self.is_done = False
        self._handled = None
        self.handed_bytes = 0
        self.is_counted = True
        self._environ = environ
        self._before = facts.before(environ) if facts.is_watching else None
        self.method = environ.get("REQUEST_METHOD", "")
        # nova changes both on the way in; their sum stays.
        self.path = environ.get("SCRIPT_NAME", "") + environ.get(
            "PATH_INFO", ""
        )
        self.capture = capture = worker.begin(self, settings)
        try:
            environ[ENVIRON_KEY] = capture
        except BaseException:
            worker.forget(capture)
            raise

    @property
    def headers(self) -> Mapping[str, Any]:
        """The environ, which holds the request's headers."""
        return self._environ

    def request_id(self) -> object:
        """Return nova's id for the request, None before nova has made it."""
        return self._environ.get(REQUEST_ID)

    @property
    def trace_id(self) -> str | None:
        """The trace that came in with it, None if none did."""
        found = trace_of(self.headers.get(HEADER))
        return None if found is None else found[0]

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""
        return self._worker.lookout

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known of the request by now."""
        if self._app_end is not None:
            record.app_ms = (self._app_end - self.capture.started) * 1000
        if self.is_answered:
            record.status = status_of(self._status)
        record.response_bytes = self.handed_bytes if self.is_counted else None
        self._facts.fill(
            record, self._environ, self.method, self.path, is_on=True
        )

    def returned(
        self, body: Iterable[bytes], environ: dict[str, Any]
    ) -> Iterable[bytes]:
        """Return what the server gets for *body*."""
        sent: BaseException | None = None
        try:
            self._app_end = perf_counter()
            kind = type(body)
            if kind is list or kind is tuple or is_whole(kind, body):
                try:
                    for chunk in body:
                        self.handed_bytes += len(chunk)
                except Exception as exc:
                    # Not bytes: the server raises, too.
                    self.finish(FAILED, type(exc).__name__)
                self.finish(OK, None)
            else:
                self._handled = id(sys.exc_info()[1])
                body = followed(self, body, environ)
        except Exception as exc:
            # Its attributes may do anything; the server has to cope.
            self.note(exc)
            self.is_counted = False
            self.finish(OK, None)
        except BaseException as exc:
            sent = exc
        # Sent into this thread by others: after the response.
        return body if sent is None else _Then(body, sent)

    def finish(self, outcome: str, error: str | None) -> None:
        """Stop the clock, once; make the record and deliver it.

        The rest waits where the garbage collector has called this: what it
        interrupts may hold locks, ours among them.
        """
        if self.is_done:
            return
        self.is_done = True
        worker = self._worker
        try:
            stopped = perf_counter()
            record = worker.stop(self.capture, stopped)
            record.outcome = outcome
            record.error = error
            if (
                garbage_collector.interrupted
                and garbage_collector.is_collecting()
            ):
                # The thread that it interrupts serves others.
                self._before = without_context(self._before)
                complete = partial(self._complete, record, stopped)
                worker.do_later(complete, self.capture)
            else:
                self._complete(record, stopped)
        except Exception as exc:
            self.give_up(exc)

    def finish_by(self, error: BaseException) -> None:
        """Finish what *error* has ended, which the application raised."""
        self.finish(self.outcome_of(error), type(error).__name__)

    def let_go(self) -> None:
        """Have no record; all that is safe in the garbage collector."""
        self.is_done = True
        with suppress(Exception):
            active.pop(id(self.capture), None)
            self.capture.close()

    def give_up(self, error: BaseException) -> None:
        """Have no record, for a fault of ours. Never raises."""
        self.is_done = True
        self.note(error)
        self._worker.forget(self.capture)
        self._environ.pop(ENVIRON_KEY, None)
        self._environ = _NO_ENVIRON

    def _complete(self, record: RequestRecord, stopped: float) -> None:
        """Fill in request and response, and deliver."""
        app_end = stopped if self._app_end is None else self._app_end
        record.app_ms = (app_end - self.capture.started) * 1000
        try:
            record.response_bytes = (
                self.handed_bytes if self.is_counted else None
            )
            if self._status is not NO_STATUS:
                record.status = status = status_of(self._status)
                if status >= 500 and record.outcome == OK:
                    record.outcome = FAILED
            elif record.outcome == FAILED:
                # It raised before it answered: servers send this.
                record.status = 500
            elif record.outcome == OK:
                # What it sent over a socket that it took is not known.
                record.outcome = UNANSWERED
                record.response_bytes = None
            self._facts.fill(
                record,
                self._environ,
                self.method,
                self.path,
                self._before,
                self._headers,
            )
        except Exception as exc:
            # What is known by then goes out.
            self._worker.failures.note("record", exc)
        finally:
            # A body that the server keeps must not keep the environ.
            self._environ.pop(ENVIRON_KEY, None)
            self._environ = _NO_ENVIRON
        self._worker.deliver(record, self.capture, self._settings, stopped)


class _Then(list[bytes]):
    """A whole body, after which what was sent into the thread is raised."""

    def __init__(self, body: Iterable[bytes], error: BaseException) -> None:
        super().__init__(body)
        self._error = error

    def close(self) -> None:
        """Raise it, as the server ends the response."""
        raise self._error
