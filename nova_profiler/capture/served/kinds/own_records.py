# SPDX-License-Identifier: Apache-2.0
"""Work with a record of its own that is neither a request nor a message."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from time import perf_counter
from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import Watch
from nova_profiler.capture.current import lane_var, leave
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.served.kinds.serving import Serving, serving_of
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.served.wsgi_facts import checked_id, printable
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import ABORTED, FAILED, OK, Kind, RequestRecord

_IDS = ("request_id", "global_request_id")
_NO_HEADERS: Mapping[str, Any] = {}
_TEXTS = (
    "user_id",
    "project_id",
    "user_name",
    "project_name",
    "user_domain_id",
    "project_domain_id",
    "domain_id",
)


class OwnRecord:
    """Work that is going on. Implements Served for its own capture."""

    __slots__ = (
        "capture",
        "context",
        "error",
        "method",
        "path",
        "route",
        "settings",
        "token",
        "worker",
    )

    kind: Kind

    def __init__(self, worker: Worker, context: object) -> None:
        """*context* is an oslo.context, for ids; None if none is known."""
        self.worker = worker
        self.method = self.path = self.route = ""
        self.context = context
        self.capture: Capture | None = None
        self.settings: Settings | None = None
        self.token: Token[Lane | None] | None = None
        # The class of what it raised.
        self.error: type[BaseException] | None = None

    def take_route(self, route: str) -> None:
        """Be of *route*; behind the kind it says which of these."""
        self.route = route
        kind, _, self.path = route.partition(" ")
        self.method = kind.upper()

    @property
    def headers(self) -> Mapping[str, Any]:
        """The id by which all services choose the same requests."""
        for name in _IDS[::-1]:
            found = getattr(self.context, name, None)
            if isinstance(found, str):
                return {"HTTP_X_OPENSTACK_REQUEST_ID": found}
        return _NO_HEADERS

    @property
    def serving(self) -> Serving:
        """What serves all of its kind."""
        return serving_of(self.worker, self.kind)

    @property
    def watch(self) -> Watch | None:
        """What watches it alone, if anything does."""
        return None if self.capture is None else self.capture.watch

    @property
    def trace_id(self) -> str | None:
        """The trace of what submitted it, None without one."""
        return None

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""
        return self.worker.lookout

    @property
    def wait_ms(self) -> float | None:
        """How long it waited until a worker began, None if not at all."""
        return None

    def request_id(self) -> None:
        """Return None: threads of other work may have the same id."""

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known from the start."""
        record.kind = self.kind.name
        record.route = self.route
        record.wait_ms = self.wait_ms
        self.fill(record)

    def fill(self, record: RequestRecord) -> None:
        """Fill in what it is, by its own words, and whom it works for."""
        record.method = self.method
        record.path = self.path
        record.trace_id = self.trace_id
        if self.error is not None:
            record.error = self.error.__name__
        context = self.context
        if context is None:
            return
        # It holds the token, too: its fields are taken one by one.
        for name in _IDS:
            setattr(record, name, checked_id(getattr(context, name, None)))
        for name in _TEXTS:
            setattr(record, name, printable(getattr(context, name, None)))

    def begin(self) -> bool:
        """Have a capture in this thread; return whether there is one now."""
        settings = self.serving.settings()
        if settings is None:
            return False
        worker = self.worker
        self.settings = settings
        self.capture = capture = worker.begin(self, settings, self.kind.name)
        try:
            self.token = lane_var.set(capture.main)
        except BaseException:
            worker.forget(capture)
            raise
        return True

    def finish(self, error: type[BaseException] | None) -> None:
        """Stop the clock and deliver the record. Never raises.

        *error* is the class of what it raised.
        """
        try:
            self.leave()
            capture, settings = self.capture, self.settings
            if capture is None or settings is None:
                return
            stopped = perf_counter()
            self.error = error
            self.serving.ended(
                capture,
                settings,
                stopped,
                _outcome_of(error),
                self.fill,
                self.route,
                self.wait_ms,
            )
            self.context = None
        except Exception as exc:
            self.give_up(exc)

    def give_up(self, error: BaseException) -> None:
        """Have no record, for a fault of ours. Never raises."""
        self.worker.failures.note(self.kind.name, error)
        self.leave()
        if self.capture is not None:
            self.worker.forget(self.capture)

    def leave(self) -> None:
        """Have this thread work for nothing of ours. Never raises."""
        token, self.token = self.token, None
        try:
            if token is not None:
                lane_var.reset(token)
        except Exception as exc:
            leave(token, exc)


def _outcome_of(error: type[BaseException] | None) -> str:
    if error is None:
        return OK
    # Others end a thread, or a greenthread, and are no fault of its work.
    return FAILED if issubclass(error, Exception) else ABORTED
