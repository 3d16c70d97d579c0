# SPDX-License-Identifier: Apache-2.0
"""Response bodies, followed to their end and otherwise left as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from nova_profiler.capture.current import lane_var, leave
from nova_profiler.capture.served.wsgi_files import (
    follow_file,
    is_for_the_server,
)
from nova_profiler.record import ABORTED, FAILED, OK

if TYPE_CHECKING:
    from nova_profiler.capture.served.wsgi_exchange import Exchange

# Their items are no chunks; uWSGI sends bytes in one piece.
_NO_CHUNKS = (bytes, str, bytearray, memoryview)
_WHOLE_ITER = (list.__iter__, tuple.__iter__)
# What an application returns that has answered over the socket by itself;
# the servers compare.
_HANDLED = (
    ("eventlet.wsgi", "ALREADY_HANDLED"),
    ("gunicorn.workers.base_async", "ALREADY_HANDLED"),
)


def is_whole(kind: type, body: Any) -> bool:
    """Return whether *body*, of class *kind*, is a list with nothing behind.

    Iterating over it runs no code of the application, and it has no close().
    """
    return (
        issubclass(kind, (list, tuple))
        and kind.__iter__ in _WHOLE_ITER
        and not hasattr(kind, "close")
        and "close" not in getattr(body, "__dict__", ())
    )


def followed(exchange: Exchange, body: Any, environ: dict[str, Any]) -> Any:
    """Return what the server gets for *body*, whose end is then seen.

    That is *body* itself where the server may know it by identity or type.
    """
    kind = type(body)
    if kind is GeneratorType:
        return Body(exchange, body)
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is not None and is_for_the_server(body, wrapper):
        follow_file(exchange, body)
        return body
    if isinstance(body, _NO_CHUNKS):
        exchange.is_counted = False
        exchange.finish(OK, None)
        return body
    if _is_handled(body):
        exchange.finish(OK, None)
        return body
    if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
        if exchange.is_answered:
            # The server raises this when it begins to iterate.
            exchange.finish(FAILED, "TypeError")
        exchange.finish(OK, None)
        return body
    if hasattr(body, "__len__"):
        return SizedBody(exchange, body)
    return Body(exchange, body)


def _is_handled(body: Any) -> bool:
    for module_name, name in _HANDLED:
        module = sys.modules.get(module_name)
        if module is not None and body is getattr(module, name, _HANDLED):
            return True
    return False


class _Chunks:
    """What a server takes chunks from."""

    _exchange: Exchange
    _chunks: Iterator[bytes] | None

    def __next__(self) -> Any:
        exchange = self._exchange
        if self._chunks is None:
            self._chunks = self._begun()
        token = None
        try:
            token = lane_var.set(exchange.capture.main)
        except Exception as exc:
            exchange.note(exc)
        watch = exchange.capture.watch
        chunk: Any
        try:
            if watch is None:
                chunk = next(self._chunks)
            else:
                chunk = watch.run(next, self._chunks)
        except StopIteration:
            try:
                self._ended()
            except Exception as fault:
                exchange.give_up(fault)
            raise
        except BaseException as exc:
            try:
                exchange.finish_by(exc)
            except Exception as fault:
                exchange.give_up(fault)
            raise
        finally:
            try:
                lane_var.reset(token)  # type: ignore[arg-type]  # None raises
            except Exception as exc:
                leave(token, exc)
        try:
            if isinstance(chunk, bytes):
                exchange.handed_bytes += len(chunk)
            elif chunk is not None:
                # uWSGI takes a file for a chunk.
                exchange.is_counted = False
        except Exception as exc:
            exchange.is_counted = False
            exchange.note(exc)
        return chunk

    def _begun(self) -> Iterator[bytes]:
        """Return what iterates over the body from its begin."""
        raise NotImplementedError

    def _ended(self) -> None:
        """Note that all chunks were taken."""
        raise NotImplementedError


class Body(_Chunks):
    """A response body, followed to its end.

    Has the attributes of the body that it stands for: servers and filters
    further out look for more of them than PEP 3333 names.
    """

    def __init__(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._body: Any = body
        # What iterates over the body, if that is the body itself.
        self._chunks = body if type(body) is GeneratorType else None
        # Whether chunks were asked for, and other attributes were taken.
        self._is_pulled = False
        self._is_reached = False

    def __iter__(self) -> Iterator[bytes]:
        if self._chunks is not None:
            self._is_pulled = True
            return self
        chunks = self._begun()
        if chunks is self._body:
            self._chunks = chunks
            return self
        try:
            # A body that can be iterated over again can still be.
            return _Pass(self, chunks)
        except Exception as exc:
            self._exchange.give_up(exc)
            return chunks

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._body, name)
        self._is_reached = True
        return value

    def __del__(self) -> None:
        try:
            if not self._exchange.is_done:
                self._dropped()
        except BaseException:
            # The interpreter ends, or an exception for this thread came now:
            # it would be printed, and reach nothing.
            exchange = getattr(self, "_exchange", None)
            if exchange is not None:
                exchange.let_go()

    def close(self) -> None:
        """Close the application's body, and stop the clock if it runs."""
        exchange = self._exchange
        watch = exchange.capture.watch
        outcome, error, token = OK, None, None
        try:
            if not exchange.is_done:
                outcome, error = self._end_at_close()
            token = lane_var.set(exchange.capture.main)
        except Exception as exc:
            exchange.note(exc)
        try:
            # A loop that is left lets go of its iterator before it closes.
            self._chunks = None
            try:
                close = self._body.close
            except AttributeError:
                close = None
            if close is not None and watch is not None:
                watch.run(close)
            elif close is not None:
                close()
        except BaseException as exc:
            try:
                exchange.finish(FAILED, type(exc).__name__)
            except Exception as fault:
                exchange.give_up(fault)
            raise
        finally:
            try:
                lane_var.reset(token)  # type: ignore[arg-type]  # None raises
            except Exception as exc:
                leave(token, exc)
            try:
                exchange.finish(outcome, error)
            except Exception as fault:
                exchange.give_up(fault)

    def _begun(self) -> Iterator[bytes]:
        exchange = self._exchange
        self._is_pulled = True
        token = None
        try:
            token = lane_var.set(exchange.capture.main)
        except Exception as exc:
            exchange.note(exc)
        try:
            return iter(self._body)
        except BaseException as exc:
            try:
                exchange.finish_by(exc)
            except Exception as fault:
                exchange.give_up(fault)
            raise
        finally:
            try:
                lane_var.reset(token)  # type: ignore[arg-type]  # None raises
            except Exception as exc:
                leave(token, exc)

    def _ended(self) -> None:
        self._exchange.finish(OK, None)

    def _end_at_close(self) -> tuple[str, str | None]:
        """Return outcome and error of a body that is closed now."""
        exchange = self._exchange
        if self._is_reached and not self._is_pulled:
            # Sent in another way than chunk by chunk, if at all.
            exchange.is_counted = False
            error = exchange.error_in_server()
            return (OK, None) if error is None else exchange.end_by(error)
        return exchange.end_at_close()

    def _dropped(self) -> None:
        """End a body that a server dropped without closing it."""
        exchange = self._exchange
        token = lane_var.set(exchange.capture.main)
        try:
            # What the application does at the end of its generator is part
            # of the request.
            self._chunks = self._body = None
        finally:
            lane_var.reset(token)
        exchange.finish(ABORTED, None)


class SizedBody(Body):
    """A body that knows how many chunks it has.

    Servers ask a body of one chunk for its length; others add up the lengths
    of all chunks before they send them.
    """

    def __init__(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        super().__init__(exchange, body)
        self._written = exchange.handed_bytes
        self._is_at_end = False

    def __len__(self) -> int:
        # Chosen only for a body that has a length.
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        self._exchange.handed_bytes = self._written
        self._is_at_end = False
        return Body.__iter__(self)

    def _ended(self) -> None:
        self._is_at_end = True

    def _end_at_close(self) -> tuple[str, str | None]:
        error = self._exchange.error_in_server()
        if self._is_at_end and error is None:
            return OK, None
        return super()._end_at_close()

    def _dropped(self) -> None:
        if self._is_at_end:
            self._exchange.finish(OK, None)
        else:
            super()._dropped()


class _Pass(_Chunks):
    """One pass over a body that is not its own iterator."""

    def __init__(self, body: Body, chunks: Iterator[bytes]) -> None:
        self._exchange = body._exchange
        self._chunks = chunks
        # A pass keeps its body from being dropped.
        self._followed = body

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._chunks, name)

    def _ended(self) -> None:
        self._followed._ended()
