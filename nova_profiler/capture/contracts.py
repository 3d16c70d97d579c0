# SPDX-License-Identifier: Apache-2.0
"""What a capture asks of the side that serves, and of a profiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from nova_profiler.record import RequestRecord

Result = TypeVar("Result")


class Watch(Protocol):
    """A profiler's work for one request."""

    def run(self, function: Callable[..., Result], /, *args: Any) -> Result:
        """Return ``function(*args)``, called under the profiler.

        What *function* raises passes. Called for the application, then for
        each step of its body and for close(): maybe in another thread or
        greenlet than before, never in two at once.
        """

    def spawned(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what another thread that works for the request calls.

        Called once, where that thread is started; what it returns, once at
        most. That is *function* itself where the profiler does not follow. The
        thread may outlive the request.
        """

    def finish(self, record: RequestRecord) -> None:
        """Set ``record.profile`` and ``record.profiled``; never blocks.

        Called once, when the request is over and the record's figures are
        known. ``profile`` is None or ``{"engine": name, "file": None,
        "notes": [sentences]}`` and further numbers; notes are what is not
        true or not complete about the stacks.
        """


class Served(Protocol):
    """What a capture is of: a request, and one day a message or a task.

    The side that serves it knows the protocol; nothing else does.
    """

    @property
    def method(self) -> str:
        """How it was asked for by its own words, before it is routed."""

    @property
    def path(self) -> str:
        """What it asks for by its own words."""

    @property
    def headers(self) -> Mapping[str, Any]:
        """What came with it, by the names that WSGI gives to HTTP headers."""

    @property
    def trace_id(self) -> str | None:
        """The trace that came in with it, None if none did."""

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""

    def request_id(self) -> object:
        """Return the id by which a thread of its own finds it, if known.

        None where several may share one.
        """

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known by now; called in another thread."""


class Submitted(Protocol):
    """Work in a lane of what submitted it, which may end before the work."""

    def outlive(self, lane: Any) -> Any:
        """Take *lane* over; return a copy of it for what submitted it.

        None if the work has just ended. Called as the capture of *lane* is
        closed, by its thread. Never raises.
        """


class NothingServed:
    """What a capture is of that is over."""

    method = path = ""
    headers: Mapping[str, Any] = MappingProxyType({})
    trace_id = lookout = None

    def request_id(self) -> None:
        return None

    def describe(self, record: RequestRecord) -> None:
        """Know nothing."""
