# SPDX-License-Identifier: Apache-2.0
"""WSGI middleware (PEP 3333) that times a request to the end of its body.

Nothing is buffered, and what the application does is handed on as it did
it. A response that is a list ends when the application returns it; every
other body is followed to its last chunk, to close(), or to an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from nova_profiler.capture.current import lane_var, leave
from nova_profiler.capture.frames.chunks import with_room
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.served.wsgi_exchange import ENVIRON_KEY, Exchange
from nova_profiler.capture.served.wsgi_facts import WsgiFacts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

# From here on a request is long enough to be given room on the stack, which
# costs some ten microseconds and saves what frames.chunks explains.
_ROOM_FROM_S = 0.005


class ProfilerMiddleware:
    """Times each request of *app*, one of the applications of *worker*."""

    def __init__(
        self, app: WSGIApplication, worker: Worker, facts: WsgiFacts
    ) -> None:
        self._app = app
        self._facts = facts
        self._live = worker.live
        self.worker = worker

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        exchange = None
        try:
            live = self._live
            now = monotonic()
            if now > live.check_at:
                self.worker.check_settings(now)
            settings = live.current
            if settings.enabled:
                earlier = environ.get(ENVIRON_KEY)
                # An outer filter of ours may time this request already.
                if earlier is None or earlier.closed:
                    worker = self.worker
                    exchange = Exchange(
                        worker, self._facts, settings, environ, start_response
                    )
                    capture = exchange.capture
                    call: Callable[..., Iterable[bytes]] = self._app
                    if worker.latest_s >= _ROOM_FROM_S:
                        call = partial(with_room, call)
                    watch = capture.watch
                    if watch is not None:
                        call = partial(watch.run, call)
                    token = lane_var.set(capture.main)
        except Exception as exc:
            # Not a valid environ, or a fault of ours; the application
            # decides what to answer.
            if exchange is None:
                self.worker.failures.note("middleware", exc)
            else:
                exchange.give_up(exc)
                exchange = None
        if exchange is None:
            return self._app(environ, start_response)
        try:
            body = call(environ, exchange.start_response)
        except BaseException as exc:
            try:
                exchange.finish_by(exc)
            except Exception as fault:
                exchange.give_up(fault)
            raise
        finally:
            try:
                lane_var.reset(token)
            except Exception as exc:
                leave(token, exc)
        try:
            return exchange.returned(body, environ)
        except Exception as exc:
            exchange.give_up(exc)
            return body
