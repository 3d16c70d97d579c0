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

    # What it is by its own words, before anything has routed it.
    method: str
    path: str

    @property
    def headers(self) -> Mapping[str, Any]:
        """What came with it, by the names that WSGI gives to HTTP headers."""

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""

    def request_id(self) -> object:
        """Return its request id, as far as one is known by now."""

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known by now; called in another thread."""


class NothingServed:
    """What a capture is of that is over."""

    method = path = ""
    headers: Mapping[str, Any] = MappingProxyType({})
    lookout = None

    def request_id(self) -> None:
        return None

    def describe(self, record: RequestRecord) -> None:
        """Know nothing."""
