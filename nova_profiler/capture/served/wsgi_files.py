# SPDX-License-Identifier: Apache-2.0
"""Files that a server sends by itself: their end, as far as it can be seen.

Such a body is handed on as the object that it is. What stands in for its
close() sees when the server lets go of it; the position in the file and an
exception that the server handles then are all that is known of what was sent.
"""

from __future__ import annotations

import io
import os
import stat
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nova_profiler.capture.current import lane_var, leave
from nova_profiler.capture.served.uwsgi_connection import is_cut
from nova_profiler.record import ABORTED, FAILED, OK

if TYPE_CHECKING:
    from nova_profiler.capture.served.wsgi_exchange import Exchange

# Their positions can be asked for without running anybody's code.
_PLAIN_FILES = (
    io.BufferedReader,
    io.BufferedRandom,
    io.BytesIO,
    io.FileIO,
)
# Where wrappers keep the file.
_INNER = ("filelike", "file")
# Classes made in C of these modules are no file wrappers.
_NO_WRAPPERS = ("builtins", "itertools", "collections", "_collections")
_MADE_IN_PYTHON = 1 << 9


def is_for_the_server(body: Any, wrapper: Any) -> bool:
    """Return whether a server with the file *wrapper* may send *body* itself.

    Most wrappers are types. uWSGI's is a function: it returns the object
    that it was given, and the server compares what the application returned
    with it. That of older servers returns objects of a type made in C.
    """
    if isinstance(wrapper, type):
        return isinstance(body, wrapper)
    kind = type(body)
    if not kind.__flags__ & _MADE_IN_PYTHON:
        return kind.__module__ not in _NO_WRAPPERS
    return hasattr(body, "read")


def follow_file(exchange: Exchange, body: Any) -> None:
    """Have *exchange* end when the server is done with *body*.

    At once, where that cannot be seen.
    """
    exchange.is_counted = False
    end = _FileEnd(exchange, _inner_of(body))
    if not end.is_put_on(body):
        # Made in C: it closes the file that it wraps.
        inner = getattr(body, "filelike", None)
        if inner is None or not end.is_put_on(inner):
            exchange.finish(OK, None)


class _FileEnd:
    """Stands in for close() of a file."""

    __slots__ = (
        "_began_at",
        "_exchange",
        "_file",
        "_former",
        "_is_own",
        "_target",
    )

    def __init__(self, exchange: Exchange, file: Any) -> None:
        self._exchange = exchange
        # Without its file a body is not kept alive by its own close().
        self._file = _weak(file)
        self._began_at = _position(file)
        self._target: Callable[[], Any] = lambda: None
        # The close() that the class of the target does not have, and whether
        # it was an attribute of the target.
        self._former: Any = None
        self._is_own = False

    def is_put_on(self, target: Any) -> bool:
        """Put this in place of *target*'s close(), if it takes it."""
        before = getattr(target, "close", None)
        if isinstance(before, _FileEnd):
            # The application returns one object again and again.
            before._exchange.finish(OK, None)
            before._taken_off(target)
            before = getattr(target, "close", None)
        self._target = _weak(target)
        self._former, self._is_own = None, False
        try:
            target.close = self
            del target.close
            # An attribute of the object: its class has another or none.
            self._is_own = getattr(target, "close", None) != before
            if self._is_own or not hasattr(type(target), "close"):
                self._former = before
            target.close = self
            if target.close is self:
                return True
        except Exception:
            # Made in C, or with a mind of its own.
            self._former, self._is_own = before, True
        self._put_back(target)
        return False

    def __call__(self) -> Any:
        """Close the file, as without this, and end the exchange."""
        exchange = self._exchange
        outcome, error, token = OK, None, None
        try:
            target = self._target()
            if not exchange.is_done:
                outcome, error = self._ending(target)
            token = lane_var.set(exchange.capture.main)
            close = self._taken_off(target)
        except Exception as exc:
            exchange.note(exc)
            # The file is closed in any case.
            close = self._taken_off(self._target())
        try:
            return None if close is None else close()
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

    def __del__(self) -> None:
        try:
            self._exchange.finish(ABORTED, None)
        except BaseException:
            # The interpreter ends, or an exception for this thread came now:
            # it would be printed, and reach nothing.
            exchange = getattr(self, "_exchange", None)
            if exchange is not None:
                exchange.let_go()

    def _taken_off(self, target: Any) -> Any:
        """Return the close() that this stands in for, back in its place."""
        if getattr(target, "close", None) is self:
            self._put_back(target)
            return getattr(target, "close", None)
        # What was put over this calls it: getattr() would find that again.
        if self._former is not None:
            return self._former
        method = getattr(type(target), "close", None)
        return None if method is None else method.__get__(target)

    def _put_back(self, target: Any) -> None:
        with suppress(Exception):
            if self._is_own:
                target.close = self._former
            else:
                del target.close

    def _ending(self, target: Any) -> tuple[str, str | None]:
        """Return outcome and error; count what was handed over, if known."""
        exchange = self._exchange
        file = self._file()
        began_at, now = self._began_at, _position(file)
        size = _size(file)
        sent = None
        if began_at is not None and now is not None:
            if now > began_at:
                sent = now - began_at
            elif size is not None and size <= began_at:
                sent = 0
        if sent is not None:
            exchange.handed_bytes += sent
            exchange.is_counted = True
        error = exchange.error_in_server()
        if error is not None:
            return exchange.end_by(error)
        if sent is None:
            # A file that closes itself was dropped.
            is_dropped = getattr(target, "_finalizing", False) is True
            return (ABORTED if is_dropped or is_cut() else OK), None
        is_at_end = size is not None and now is not None and now >= size
        if is_at_end or exchange.has_no_body() or exchange.has_all(sent):
            return OK, None
        return ABORTED, None


def _weak(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def _inner_of(body: Any) -> Any:
    """Return the file in *body*, *body* itself if there is none."""
    for _ in range(3):
        if type(body) in _PLAIN_FILES:
            break
        for name in _INNER:
            inner = getattr(body, name, None)
            if inner is not None:
                body = inner
                break
    return body


def _position(file: Any) -> int | None:
    if type(file) not in _PLAIN_FILES:
        return None
    try:
        return int(file.tell())
    except (OSError, ValueError):
        # Closed, or no place to be in.
        return None


def _size(file: Any) -> int | None:
    if type(file) not in _PLAIN_FILES:
        return None
    try:
        if isinstance(file, io.BytesIO):
            return len(file.getbuffer())
        found = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
