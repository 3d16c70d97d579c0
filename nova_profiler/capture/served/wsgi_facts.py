# SPDX-License-Identifier: Apache-2.0
"""Request, user and route, taken from a WSGI environ into the record."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable
from typing import Any

from nova_profiler.capture.failures import Failures
from nova_profiler.capture.served.nova_routes import Routes, action_of
from nova_profiler.capture.served.wsgi_identity import (
    Before,
    answered_id,
    before,
    context_id,
    identity_of,
)
from nova_profiler.record import RequestRecord
from nova_profiler.record.trace_parents import HEADER, trace_of
from nova_profiler.routes import METHODS, OTHER_METHOD, UNMATCHED

REQUEST_ID = "openstack.request_id"

# What a record keeps of texts that clients choose.
MAX_PATH = 1024
MAX_TEXT = 255
MAX_ID = 64

# A route is learned from successful requests; one that is on is none yet.
_TEACHES_NOTHING = 500

_NO_TRACE = (None, None)


class WsgiFacts:
    """Fills records from environs, with the routes that this process saw."""

    def __init__(self, failures: Failures, routes: Routes) -> None:
        self._failures = failures
        self.routes = routes
        # Whether before() is wanted: the latest request had no context of
        # nova's. One that has needs nothing from there.
        self.is_watching = True
        # Whether the latest request had no id in its environ or response: the
        # next one may have it from oslo.context alone.
        self._has_context = True

    def before(self, environ: dict[str, Any]) -> Before:
        """Return what a request came with, for fill()."""
        return before(environ, self._has_context)

    def fill(
        self,
        record: RequestRecord,
        environ: dict[str, Any],
        method: str,
        path: str,
        earlier: Before | None = None,
        headers: Iterable[Any] = (),
        is_on: bool = False,
    ) -> None:
        """Fill method, path, route, action, ids, user and address.

        *method* and *path* are as the server handed them over, *earlier* is
        what before() returned, *headers* are those of the response;
        ``record.status`` is known. Of a request that *is_on*, in another
        thread: then the action, which is in its body, is left out.
        """
        record.method = method if method in METHODS else OTHER_METHOD
        try:
            status = _TEACHES_NOTHING if is_on else record.status
            route = self.routes.route_of(environ, path, status)
        except Exception as exc:
            self._failures.note("route", exc)
            route = UNMATCHED
        record.route = route
        record.path = printable_path(path)
        if route.endswith("/action") and not is_on:
            record.action = action_of(environ, record.status)
        request_id = environ.get(REQUEST_ID)
        if is_on:
            # Its context is that of another thread.
            pass
        elif request_id is None:
            request_id = self._other_id(environ, earlier, headers)
        else:
            self._has_context = False
        record.request_id = checked_id(request_id)
        overall_id = environ.get("openstack.global_request_id")
        if overall_id is not None:
            record.global_request_id = checked_id(overall_id)
        trace = environ.get(HEADER)
        if trace is not None:
            record.trace_id, record.span_id = trace_of(trace) or _NO_TRACE
        context = environ.get("nova.context")
        if context is None:
            self.is_watching = True
            self._fill_identity(record, environ, earlier)
            record.remote_address = printable(environ.get("REMOTE_ADDR"))
        else:
            self.is_watching = is_on and self.is_watching
            # It holds the token, too: its fields are taken one by one, it is
            # never kept whole.
            record.user_id = printable(getattr(context, "user_id", None))
            record.project_id = printable(getattr(context, "project_id", None))
            record.user_name = printable(getattr(context, "user_name", None))
            project = getattr(context, "project_name", None)
            record.project_name = printable(project)
            address = getattr(context, "remote_address", None)
            address = address or environ.get("REMOTE_ADDR")
            record.remote_address = printable(address)

    def _other_id(
        self,
        environ: dict[str, Any],
        earlier: Before | None,
        headers: Iterable[Any],
    ) -> object:
        """Return the request id that the environ does not have."""
        try:
            found = answered_id(environ, headers)
            self._has_context = found is None
            return context_id(earlier) if found is None else found
        except Exception as exc:
            self._failures.note("identity", exc)
            return None

    def _fill_identity(
        self,
        record: RequestRecord,
        environ: dict[str, Any],
        earlier: Before | None,
    ) -> None:
        """Fill the identity in another service than nova."""
        try:
            for name, value in identity_of(environ, earlier).items():
                setattr(record, name, printable(value))
        except Exception as exc:
            self._failures.note("identity", exc)


def checked_id(value: object) -> str | None:
    """Return *value* if it looks like a request id, else None."""
    if not isinstance(value, str) or len(value) > MAX_ID:
        return None
    bare = value.replace("-", "")
    return value if bare.isalnum() and bare.isascii() else None


def printable(value: object) -> str | None:
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
