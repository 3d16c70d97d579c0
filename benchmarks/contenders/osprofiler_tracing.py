# SPDX-License-Identifier: Apache-2.0
"""osprofiler with a notifier that drops what it gets."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from osprofiler import notifier, profiler, web
from osprofiler import sqlalchemy as osprofiler_sqlalchemy

from benchmarks.application import db_api
from benchmarks.contenders import Installed, Place, Seen
from benchmarks.contenders.functions import wrap_functions

_KEY = "benchmark"


def tracing(place: Place) -> Installed:
    """Return the middleware, and a header that asks for a trace."""
    profiler.init(_KEY)
    trace = web.get_trace_id_headers()
    profiler.clean()
    headers = tuple(
        (f"HTTP_{name.upper().replace('-', '_')}", str(value))
        for name, value in trace.items()
    )
    return idle(place)._replace(headers=headers)


def idle(place: Place) -> Installed:
    """Return the middleware with its hooks, and requests without a trace."""
    events: list[str] = []

    def collect(payload: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        events.append(payload["name"])

    def drop(payload: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        pass

    def seen() -> Seen:
        names = [name for name in events if name.endswith("-start")]
        events.clear()
        return Seen(
            requests=names.count("wsgi-start"),
            statements=names.count("db-start"),
            calls=names.count("db_api-start"),
        )

    notifier.set(collect)
    for engine in place.engines:
        osprofiler_sqlalchemy.add_tracing(sqlalchemy, engine, "db")
    wrap_functions(db_api, lambda name, fn: profiler.trace("db_api")(fn))
    web.enable(_KEY)
    app = web.WsgiMiddleware(place.app, hmac_keys=_KEY, enabled=True)

    return Installed(app, seen, lambda: notifier.set(drop))
