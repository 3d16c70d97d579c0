# SPDX-License-Identifier: Apache-2.0
"""WSGI middleware (PEP 3333) that times a request to the end of its body.

Nothing is buffered, and what the application does is handed on as it did
it. A response that is a list ends when the application returns it; every
other body is followed to its last chunk, to close(), or to an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from nova_profiler.capture.current import lane_var
from nova_profiler.capture.failures import Faults
from nova_profiler.capture.frame_chunks import with_room
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.served.wsgi_exchange import ENVIRON_KEY, Exchange
from nova_profiler.capture.settings.options import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

# From here on a request is long enough to be given room on the stack, which
# costs some ten microseconds and saves what is told in stack_room.
_ROOM_FROM_S = 0.005


class Live(Protocol):
    """The settings in force."""

    current: Settings
    check_at: float

    def check(self, now: float) -> None:
        """Look for changes; sets when to look again."""


class ProfilerMiddleware:
    """Times each request of *app* and gives its record to *recorder*."""

    def __init__(
        self,
        app: WSGIApplication,
        live: Live,
        recorder: Recorder,
        watching: Watching,
        faults: Faults,
    ) -> None:
        self._app = app
        self._live = live
        self.recorder = recorder
        self.watching = watching
        self.faults = faults
        # Asked at the first request: by then eventlet has patched or not.
        self.green: bool | None = None
        self.latest_s = 0.0

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        live = self._live
        now = monotonic()
        if now > live.check_at:
            self._check(now)
        settings = live.current
        if not settings.enabled:
            return self._app(environ, start_response)
        earlier = environ.get(ENVIRON_KEY)
        if earlier is not None and not earlier.closed:
            # An outer filter of ours times this request already.
            return self._app(environ, start_response)
        try:
            exchange = Exchange(self, settings, environ, start_response)
        except Exception as exc:
            # An environ that no server should send: not ours to refuse.
            self.faults.note("middleware", exc)
            return self._app(environ, start_response)
        capture = exchange.capture
        watch = None
        if settings.profiler != "none":
            watch = self.watching.begin(capture, exchange.path, settings)
        token = lane_var.set(capture.main)
        try:
            if self.latest_s >= _ROOM_FROM_S:
                args = self._app, environ, exchange.start_response
                if watch is None:
                    body = with_room(*args)
                else:
                    body = watch.run(with_room, *args)
            elif watch is None:
                body = self._app(environ, exchange.start_response)
            else:
                body = watch.run(self._app, environ, exchange.start_response)
        except BaseException as exc:
            exchange.finish(exchange.outcome_of(exc), type(exc).__name__)
            raise
        finally:
            lane_var.reset(token)
        return exchange.returned(body, environ)

    def _check(self, now: float) -> None:
        live = self._live
        try:
            live.check(now)
            if not live.current.enabled or live.current.profiler == "none":
                # Nobody would ask for the engine any more.
                self.watching.change("none")
        except Exception as exc:
            self.faults.note("settings", exc)
