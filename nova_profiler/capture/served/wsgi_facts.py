# SPDX-License-Identifier: Apache-2.0
"""Request, user and route, taken from a WSGI environ into the record."""

from __future__ import annotations

import urllib.parse
from typing import Any

from nova_profiler.capture.failures import Failures
from nova_profiler.capture.served.nova_routes import Routes, action_of
from nova_profiler.record import RequestRecord
from nova_profiler.routes import METHODS, OTHER_METHOD, UNMATCHED

REQUEST_ID = "openstack.request_id"

# What a record keeps of texts that clients choose.
MAX_PATH = 1024
MAX_TEXT = 255
MAX_ID = 64

# A route is learned from successful requests; one that is on is none yet.
_TEACHES_NOTHING = 500

_FROM_CONTEXT = ("user_id", "project_id", "user_name", "project_name")


class WsgiFacts:
    """Fills records from environs, with the routes that this process saw."""

    def __init__(self, failures: Failures, routes: Routes) -> None:
        self._failures = failures
        self._routes = routes

    def fill(
        self,
        record: RequestRecord,
        environ: dict[str, Any],
        method: str,
        path: str,
        is_on: bool = False,
    ) -> None:
        """Fill method, path, route, action, ids, user and address.

        *method* and *path* are as the server handed them over;
        ``record.status`` is known. Of a request that *is_on*, in another
        thread: then the action, which is in its body, is left out.
        """
        record.method = method if method in METHODS else OTHER_METHOD
        try:
            status = _TEACHES_NOTHING if is_on else record.status
            route = self._routes.route_of(environ, path, status)
        except Exception as exc:
            self._failures.note("route", exc)
            route = UNMATCHED
        record.route = route
        record.path = printable_path(path)
        if route.endswith("/action") and not is_on:
            record.action = action_of(environ, record.status)
        record.request_id = checked_id(environ.get(REQUEST_ID))
        overall_id = environ.get("openstack.global_request_id")
        if overall_id is not None:
            record.global_request_id = checked_id(overall_id)
        address = environ.get("REMOTE_ADDR")
        context = environ.get("nova.context")
        if context is not None:
            # It holds the token, too: its fields are taken one by one, it is
            # never kept whole.
            for name in _FROM_CONTEXT:
                value = getattr(context, name, None)
                if value is not None:
                    setattr(record, name, _text(value))
            address = getattr(context, "remote_address", None) or address
        record.remote_address = _text(address)


def checked_id(value: object) -> str | None:
    """Return *value* if it looks like a request id, else None."""
    if not isinstance(value, str) or len(value) > MAX_ID:
        return None
    bare = value.replace("-", "")
    return value if bare.isalnum() and bare.isascii() else None


def _text(value: object) -> str | None:
    """Return a client's text in one printable line of limited length."""
    if not value or not isinstance(value, str):
        return None
    if len(value) > MAX_TEXT:
        value = value[:MAX_TEXT]
    if value.isprintable():
        return value
    return value.encode("unicode_escape").decode("ascii")


def printable_path(path: str) -> str:
    """Return a WSGI path as it stood in the request line, cut if too long.

    WSGI hands bytes over as latin-1; what is not plain ASCII is quoted
    again, so that no control character or broken UTF-8 is kept.
    """
    if len(path) > MAX_PATH:
        path = path[:MAX_PATH] + "..."
    if path.isascii() and path.isprintable():
        return path
    return urllib.parse.quote(
        path.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~-._{}[]|"
    )
