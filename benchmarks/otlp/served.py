# SPDX-License-Identifier: Apache-2.0
"""The filter over a request of 30 calls, with the sink and without."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from benchmarks.application import db_api
from benchmarks.application.workloads import environ_of
from benchmarks.running.wsgi_client import App, get
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.sinks.otlp.process import Process
from nova_profiler.capture.sinks.otlp.sink import OtlpSink
from nova_profiler.capture.sinks.otlp.waiting import TAKEN_AT
from nova_profiler.factory import filter_factory

CALLS = 30
# Each look costs some CPU, too.
_LOOK_S = 0.002
_numbers = count(1)


class Served:
    """One filter over the application."""

    def __init__(self, **options: str) -> None:
        """*options* are the filter's; without otlp_endpoint: no sink."""
        engine = db_api.engine_of(listened=True)
        context = db_api.Context(engine, "", "", "")

        def application(
            environ: dict[str, Any], start_response: Callable[..., Any]
        ) -> list[bytes]:
            # As nova's, unlike all others.
            number = next(_numbers)
            environ["openstack.request_id"] = (
                f"req-{number:08x}-1f0d-4f2c-9a53-6cc2b5e0b7aa"
            )
            for _ in range(CALLS):
                # Looked up anew: the hook replaces it.
                db_api.nothing(context)
            start_response("200 OK", [])
            return [b"ok"]

        # The hooks are in place once for all filters of a process.
        self.app: App = filter_factory(
            {},
            hooks="db_api,threads",
            db_api_modules="benchmarks.application.db_api",
            # Else nothing is made of a request without the sink.
            log_file=os.devnull,
            log_requests="false",
            **options,
        )(application)
        self._environ = environ_of("request")
        self.has_traces = "all" in options.get("otlp_traces", "")

    @property
    def sink(self) -> OtlpSink | None:
        """The sink, if there is one."""
        middleware = self.app
        assert isinstance(middleware, ProfilerMiddleware)
        for sink in middleware.worker.recorder._sinks:
            if isinstance(sink, OtlpSink):
                return sink
        return None

    @property
    def process(self) -> Process | None:
        """What the sink has to send; None without one, or before it began."""
        sink = self.sink
        return None if sink is None else sink._process

    @property
    def faults(self) -> dict[str, int]:
        """What was counted."""
        middleware = self.app
        assert isinstance(middleware, ProfilerMiddleware)
        return middleware.worker.failures.counts()

    def serve(self, requests: int) -> None:
        """Serve *requests*, one after the other."""
        app, environ = self.app, self._environ
        for _ in range(requests):
            get(app, environ)

    def longest_s(self, requests: int) -> list[float]:
        """Serve *requests*; return how long each took."""
        app, environ = self.app, self._environ
        now = time.perf_counter
        took = []
        for _ in range(requests):
            began = now()
            get(app, environ)
            took.append(now() - began)
        return took

    def drain(self) -> None:
        """Wait until the thread has taken the traces that it was woken for."""
        process = self.process
        assert process is not None
        while len(process.sender.traces._queue) >= TAKEN_AT:
            time.sleep(_LOOK_S)

    def settle(self) -> None:
        """Wait until the thread has sent all that there is."""
        process = self.process
        if process is None:
            return
        process.send_now()
        while process.has_more():
            time.sleep(_LOOK_S)
