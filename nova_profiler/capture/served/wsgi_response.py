# SPDX-License-Identifier: Apache-2.0
"""A response as the server gets it: its status, its bytes, how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nova_profiler.record import ABORTED, FAILED, OK

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from nova_profiler.capture.served.worker import Worker

# The status while start_response() was not called.
NO_STATUS: Any = object()
# Statuses whose response has no body that a server would read.
_BODILESS = (204, 304)
# What a server raises for what an application did wrong.
_FAULTS = (TypeError, ValueError, LookupError, AttributeError, AssertionError)


class Response:
    """What an application answers; ``Exchange`` sets the attributes."""

    __slots__ = (
        "_handled",
        "_headers",
        "_start_response",
        "_status",
        "_worker",
        "_write",
        "_write_failed",
        "handed_bytes",
        "is_counted",
        "method",
    )

    _worker: Worker
    _start_response: StartResponse
    _status: Any
    _headers: Sequence[tuple[str, str]]
    _write: Callable[[bytes], object] | None
    _write_failed: bool
    # The exception that was handled when the application returned.
    _handled: int | None
    # The request's.
    method: str
    # What was handed to the server; all of it, if it could be counted.
    handed_bytes: int
    is_counted: bool

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], object]:
        """Pass everything on; note the status of the last call."""
        if exc_info is None:
            write = self._start_response(status, headers)
        else:
            write = self._start_response(status, headers, exc_info)
        self._write = write
        self._status = status
        self._headers = headers
        try:
            return self.write
        except Exception as exc:
            # What goes by the server's own is not counted.
            self.is_counted = False
            self.note(exc)
            return write

    def write(self, data: bytes) -> object:
        """Write *data* as the server does, and count it."""
        try:
            # Set by now: start_response() returned this method.
            sent = self._write(data)  # type: ignore[misc]
        except Exception:
            self._write_failed = True
            raise
        try:
            if isinstance(data, bytes):
                self.handed_bytes += len(data)
        except Exception as exc:
            self.is_counted = False
            self.note(exc)
        return sent

    @property
    def is_answered(self) -> bool:
        """Whether the application has called start_response()."""
        return self._status is not NO_STATUS

    def outcome_of(self, error: BaseException) -> str:
        """Return whether *error* is the application's or the client's."""
        if self._write_failed or isinstance(error, GeneratorExit):
            return ABORTED
        return FAILED

    def error_in_server(self) -> BaseException | None:
        """Return the exception that ends the response in the server now.

        A server closes a body while it handles what stopped it.
        """
        error = sys.exc_info()[1]
        if id(error) == self._handled or isinstance(error, StopIteration):
            return None
        return error

    def end_at_close(self) -> tuple[str, str | None]:
        """Return outcome and error of a body closed before its end."""
        error = self.error_in_server()
        if error is not None:
            return self.end_by(error)
        if self.has_no_body() or self.has_all(self.handed_bytes):
            return OK, None
        return ABORTED, None

    def end_by(self, error: BaseException) -> tuple[str, str | None]:
        """Return outcome and error where *error* stopped the server."""
        if isinstance(error, _FAULTS):
            return FAILED, type(error).__name__
        return ABORTED, None

    def has_no_body(self) -> bool:
        """Return whether the server has no body to send."""
        if not self.is_answered:
            return False
        status = status_of(self._status)
        return self.method == "HEAD" or status < 200 or status in _BODILESS

    def has_all(self, handed: int) -> bool:
        """Return whether *handed* bytes are as many as were promised.

        A server may stop at the last one.
        """
        length = self._length()
        return length is not None and handed >= length

    def _length(self) -> int | None:
        """Return the Content-Length, None without one that can be read."""
        try:
            for name, value in self._headers:
                if name.lower() == "content-length" and value.isdecimal():
                    return int(value)
        except (TypeError, ValueError, AttributeError):
            # No headers of WSGI: the server has its own answer to that.
            return None
        return None

    def note(self, error: BaseException) -> None:
        """Count a fault of ours. Never raises."""
        self._worker.failures.note("middleware", error)


def status_of(status: object) -> int:
    """Return the number in a WSGI status, 500 for what is none."""
    if isinstance(status, str):
        number = status[:3]
        if number.isdecimal():
            return int(number)
    return 500
