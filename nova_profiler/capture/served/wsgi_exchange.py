# SPDX-License-Identifier: Apache-2.0
"""One request and its response, timed to the end of the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from nova_profiler.capture.current import lane_var
from nova_profiler.capture.served.wsgi_facts import REQUEST_ID, WsgiFacts
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import ABORTED, FAILED, OK, RequestRecord

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from nova_profiler.capture.served.worker import Worker

# Where the environ holds the capture: a filter further in leaves it alone.
ENVIRON_KEY = "nova_profiler.capture"
_NO_ENVIRON: dict[str, Any] = {}
# Statuses whose response has no body that a server would read.
_BODILESS = (204, 304)


class Exchange:
    """One request and its response, from the first to the last moment.

    Implements Served for its own capture.
    """

    __slots__ = (
        "_app_end",
        "_done",
        "_environ",
        "_facts",
        "_headers",
        "_settings",
        "_start_response",
        "_status",
        "_worker",
        "_write",
        "_write_failed",
        "bytes",
        "capture",
        "method",
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
        self._worker = worker
        self._facts = facts
        self._settings = settings
        self._start_response = start_response
        self._status = ""
        self._headers: Sequence[tuple[str, str]] = ()
        self._write: Callable[[bytes], object] | None = None
        self._write_failed = False
        self._app_end: float | None = None
        self._done = False
        self.bytes = 0
        self._environ = environ
        self.method = environ.get("REQUEST_METHOD", "")
        # nova changes both on the way in; their sum stays.
        self.path = environ.get("SCRIPT_NAME", "") + environ.get(
            "PATH_INFO", ""
        )
        self.capture = environ[ENVIRON_KEY] = worker.begin(self, settings)

    @property
    def headers(self) -> Mapping[str, Any]:
        """The environ, which holds the request's headers."""
        return self._environ

    def request_id(self) -> object:
        """Return nova's id for the request, None before nova has made it."""
        return self._environ.get(REQUEST_ID)

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""
        return self._worker.lookout

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known of the request by now."""
        if self._app_end is not None:
            record.app_ms = (self._app_end - self.capture.started) * 1000
        if self._status:
            record.status = _status_of(self._status)
        record.response_bytes = self.bytes
        self._facts.fill(
            record, self._environ, self.method, self.path, is_on=True
        )

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], object]:
        """Pass everything on; note the status of the last call."""
        if exc_info is None:
            self._write = self._start_response(status, headers)
        else:
            self._write = self._start_response(status, headers, exc_info)
        self._status = status
        self._headers = headers
        return self.write

    def write(self, data: bytes) -> object:
        """Write *data* as the server does, and count it."""
        try:
            # Set by now: start_response() returned this method.
            sent = self._write(data)  # type: ignore[misc]
        except Exception:
            self._write_failed = True
            raise
        if isinstance(data, bytes):
            self.bytes += len(data)
        return sent

    def returned(
        self, body: Iterable[bytes], environ: dict[str, Any]
    ) -> Iterable[bytes]:
        """Return what the server gets for *body*."""
        self._app_end = perf_counter()
        kind = type(body)
        if kind is list or kind is tuple:
            try:
                for chunk in body:
                    self.bytes += len(chunk)
            except Exception as exc:
                # Not bytes: the server raises, too.
                self.finish(FAILED, type(exc).__name__)
            self.finish(OK, None)
            return body
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # The server sends the file by itself if it gets this very object.
            return self._file_returned(body)
        if hasattr(body, "__len__"):
            # Servers ask a body of one chunk for its length.
            return _SizedBody(self, body)
        return _Body(self, body)

    def _file_returned(self, body: Any) -> Iterable[bytes]:
        close = getattr(body, "close", None)

        def closed() -> None:
            try:
                if close is not None:
                    close()
            except BaseException as exc:
                self.finish(FAILED, type(exc).__name__)
                raise
            finally:
                if self.method != "HEAD":
                    self.bytes += self._length() or 0
                self.finish(OK, None)

        try:
            body.close = closed
        except AttributeError:
            # Made in C: the end of its sending cannot be seen.
            self.finish(OK, None)
        return cast("Iterable[bytes]", body)

    def outcome_of(self, error: BaseException) -> str:
        """Return whether *error* is the application's or the client's."""
        if self._write_failed or isinstance(error, GeneratorExit):
            return ABORTED
        return FAILED

    def outcome_at_close(self) -> str:
        """Return the outcome of a body that was closed before its end."""
        status = _status_of(self._status)
        if self.method == "HEAD" or status < 200 or status in _BODILESS:
            return OK
        length = self._length()
        # A server may stop at the last byte that was promised.
        return OK if length is not None and self.bytes >= length else ABORTED

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

    def finish(self, outcome: str, error: str | None) -> None:
        """Stop the clock, once; make the record and deliver it."""
        if self._done:
            return
        self._done = True
        stopped = perf_counter()
        worker, capture = self._worker, self.capture
        try:
            record = worker.stop(capture, stopped)
            record.outcome = outcome
            record.error = error
            try:
                self._describe(record, stopped)
            except Exception as exc:
                # What is known by then goes out.
                worker.failures.note("record", exc)
            worker.deliver(record, capture, self._settings, stopped)
        except Exception as exc:
            worker.failures.note("middleware", exc)
        finally:
            # A body that the server keeps must not keep the environ.
            self._environ.pop(ENVIRON_KEY, None)
            self._environ = _NO_ENVIRON

    def _describe(self, record: RequestRecord, stopped: float) -> None:
        """Fill in request and response."""
        app_end = stopped if self._app_end is None else self._app_end
        record.app_ms = (app_end - self.capture.started) * 1000
        record.response_bytes = self.bytes
        record.status = status = _status_of(self._status)
        if status >= 500 and record.outcome == OK:
            record.outcome = FAILED
        self._facts.fill(record, self._environ, self.method, self.path)


def _status_of(status: object) -> int:
    """Return the number in a WSGI status, 500 for what is none.

    An application that raised before it answered has none: servers send 500.
    """
    if isinstance(status, str) and status[:3].isdecimal():
        return int(status[:3])
    return 500


class _Body:
    """A response body, followed to its end."""

    def __init__(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._body = body
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        exchange = self._exchange
        token = lane_var.set(exchange.capture.main)
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            watch = exchange.capture.watch
            if watch is None:
                chunk = next(self._chunks)
            else:
                chunk = watch.run(next, self._chunks)
        except StopIteration:
            exchange.finish(OK, None)
            raise
        except BaseException as exc:
            exchange.finish(exchange.outcome_of(exc), type(exc).__name__)
            raise
        finally:
            lane_var.reset(token)
        if isinstance(chunk, bytes):
            exchange.bytes += len(chunk)
        return chunk

    def close(self) -> None:
        """Close the application's body, and stop the clock if it runs."""
        exchange = self._exchange
        token = lane_var.set(exchange.capture.main)
        try:
            close = getattr(self._body, "close", None)
            watch = exchange.capture.watch
            if close is not None and watch is not None:
                watch.run(close)
            elif close is not None:
                close()
        except BaseException as exc:
            exchange.finish(FAILED, type(exc).__name__)
            raise
        finally:
            lane_var.reset(token)
            exchange.finish(exchange.outcome_at_close(), None)


class _SizedBody(_Body):
    """A body that knows how many chunks it has."""

    def __len__(self) -> int:
        # Chosen only for a body that has a length.
        return len(self._body)  # type: ignore[arg-type]
