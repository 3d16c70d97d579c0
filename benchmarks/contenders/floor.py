# SPDX-License-Identifier: Apache-2.0
"""The least that the same work can cost: written out by hand.

It has no settings, no routing rules, no caps and no care for a sink that
fails. What is left is two clocks, a record in a ContextVar, wrapped
functions, an event pair, one datagram and one write. It writes the fields
of nova-profiler's log_file, so that the two do the same for their reader.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event

from benchmarks.application import db_api
from benchmarks.contenders import Installed, Place
from benchmarks.contenders.floor_line import line_of, metrics_of
from benchmarks.contenders.floor_record import Record, clock, cpu_clock
from benchmarks.contenders.functions import wrap_functions
from benchmarks.contenders.log_file import LogFile
from benchmarks.running.wsgi_client import App

_current: ContextVar[Record | None] = ContextVar("floor", default=None)
_current_record = _current.get


def install(place: Place) -> Installed:
    """Return the application with the floor around it."""
    path = place.directory / "floor.log"
    wrap_functions(db_api, _timed)
    for engine in place.engines:
        event.listen(engine, "before_cursor_execute", _before)
        event.listen(engine, "after_cursor_execute", _after)
    return Installed(
        Floor(place.app, path.as_posix(), place.statsd_port),
        LogFile(path).seen,
    )


class Floor:
    """Time a request to the end of its body, then one send, one write."""

    def __init__(self, app: App, path: str, statsd_port: int) -> None:
        self.lost = 0
        self._app = app
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(("127.0.0.1", statsd_port))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        record = Record()
        token = _current.set(record)

        def noted(status: str, headers: Any, *exc_info: Any) -> Any:
            record.status = status[:3]
            return start_response(status, headers, *exc_info)

        try:
            body = self._app(environ, noted)
            record.app_ns = clock() - record.start
        except BaseException:
            record.app_ns = clock() - record.start
            self._finish(record, environ)
            raise
        finally:
            _current.reset(token)
        if type(body) is list:
            for chunk in body:
                record.bytes += len(chunk)
            self._finish(record, environ)
            return body
        return self._counted(body, record, environ)

    def _counted(
        self, body: Any, record: Record, environ: dict[str, Any]
    ) -> Iterator[bytes]:
        try:
            for chunk in body:
                record.bytes += len(chunk)
                yield chunk
        finally:
            try:
                if hasattr(body, "close"):
                    body.close()
            finally:
                self._finish(record, environ)

    def _finish(self, record: Record, environ: dict[str, Any]) -> None:
        record.duration_ns = clock() - record.start
        record.cpu_ns = cpu_clock() - record.cpu_ns
        line, names = line_of(record, environ)
        try:
            self._socket.send(metrics_of(record, environ, names))
        except OSError:
            # Without a listener the metrics are lost, as with any UDP.
            self.lost += 1
        os.write(self._file, line)


def _timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        record = _current_record()
        if record is None:
            return function(*args, **kwargs)
        driver = record.driver_ns
        start = clock()
        try:
            return function(*args, **kwargs)
        finally:
            record.calls.append(
                (name, clock() - start, record.driver_ns - driver)
            )

    return timed


def _before(
    connection: Any,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> None:
    context.floor_start = clock()


def _after(
    connection: Any,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> None:
    record = _current_record()
    if record is not None:
        taken = clock() - context.floor_start
        record.driver_ns += taken
        record.statements.append((statement, taken))
