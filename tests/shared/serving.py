# SPDX-License-Identifier: Apache-2.0
"""A server by hand, and the filter over an application with its records."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova_profiler.capture.choosing.choice import Choice
from nova_profiler.capture.choosing.traced import TraceChoice
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.served.nova_routes import Routes
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.served.wsgi_facts import WsgiFacts
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import CallTotals, RequestRecord

PLAIN = [("Content-Type", "text/plain")]


class FixedSettings:
    """Settings that change only when a test says so."""

    check_at = float("inf")

    def __init__(self, **options: Any) -> None:
        self.current = Settings(**options)

    def check(self, now: float) -> None:
        raise AssertionError("check_at is never reached")


class Asked:
    """A GET request that is about to be served."""

    method = "GET"

    def __init__(self, path: str, headers: Mapping[str, Any]) -> None:
        self.path = path
        self.headers = headers


class Message:
    """What is served without WSGI: a message with a topic and a method."""

    headers: Mapping[str, Any] = {}

    def __init__(self, method: str = "cast", path: str = "compute") -> None:
        self.method = method
        self.path = path
        self.id: str | None = None

    def request_id(self) -> object:
        return self.id


class Answer:
    """What a server got from an application."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.chunks: list[bytes] = []

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        if exc_info is not None and self.chunks:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status = status
        self.headers = headers
        return self.chunks.append


def _none(name: str, note: Any) -> Any:
    raise AssertionError(f"no engine {name} in this test")


class Profiled:
    """The filter over *app*, called as a server does; keeps its records."""

    name = "list"

    def __init__(
        self,
        app: Any,
        *sinks: Any,
        routes: Any = None,
        load: Any = None,
        **options: Any,
    ) -> None:
        self.records: list[RequestRecord] = []
        self.failures = Failures()
        self.live = FixedSettings(**options)
        self.watching = Watching(
            load or _none, Choice(self.failures.note), self.failures
        )
        traces = None
        if self.live.current.otlp_endpoint:
            traces = TraceChoice(self.failures.note)
        self.worker = Worker(
            self.live,
            Recorder([*sinks, self], self.failures, traces),
            self.watching,
            self.failures,
        )
        facts = WsgiFacts(
            self.failures, Routes() if routes is None else routes
        )
        self.filter = ProfilerMiddleware(app, self.worker, facts)

    def emit(self, record: RequestRecord) -> None:
        self.records.append(record)

    def get(self, path: str = "/v2.1/servers", **environ: Any) -> Answer:
        """Serve one request to its end."""
        return served(self.filter, path, **environ)

    @property
    def record(self) -> RequestRecord:
        """The record of the only request there was."""
        (record,) = self.records
        return record


def environ_of(path: str = "/v2.1/servers", **more: Any) -> dict[str, Any]:
    """Return what a server hands to an application."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8774",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **more,
    }


def served(
    app: Any, path: str = "/v2.1/servers", chunks: int = -1, **more: Any
) -> Answer:
    """Ask *app* and take its body, or go away after *chunks* of it."""
    answer = Answer()
    body = app(environ_of(path, **more), answer.start_response)
    try:
        if chunks:
            for chunk in body:
                answer.chunks.append(chunk)
                chunks -= 1
                if chunks == 0:
                    break
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return answer


def during(work: Callable[[], object]) -> Callable[..., list[bytes]]:
    """Return an application that does *work* in each request."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        work()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    return app


def recorded(work: Callable[[], object], **options: Any) -> RequestRecord:
    """Return the record of one request in which *work* was done."""
    profiled = Profiled(during(work), **options)
    profiled.get()
    return profiled.record


def calls_of(record: RequestRecord, group: str) -> dict[str, CallTotals]:
    """Return the calls of *group* by name."""
    return {call.name: call for call in record.calls if call.group == group}


def set_clock(
    monkeypatch: Any, clock: Any, name: str = "perf_counter"
) -> None:
    """Let every module of the package that reads *name* read *clock*."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("nova_profiler.") and hasattr(module, name):
            monkeypatch.setattr(module, name, clock)


def added_up(record: RequestRecord) -> float:
    """Return the sum of the record's breakdown."""
    return sum(record.breakdown_ms.values())


def chunks_of(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """Yield *chunks* one by one."""
    yield from chunks
