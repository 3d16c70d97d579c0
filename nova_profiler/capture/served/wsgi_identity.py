# SPDX-License-Identifier: Apache-2.0
"""Users, projects and request ids in services whose context is not nova's.

keystonemiddleware puts user, project and domain into the environ under the
names of HTTP headers, which a client may send as well. What a client sent is
not believed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

CONFIRMED = "Confirmed"
# keystonemiddleware's own mark: no HTTP header has such a name.
_LOOKED_AT = "keystone.token_auth"
_STATUS = "HTTP_X_IDENTITY_STATUS"
_HEADERS = {
    "user_id": "HTTP_X_USER_ID",
    "project_id": "HTTP_X_PROJECT_ID",
    "user_name": "HTTP_X_USER_NAME",
    "project_name": "HTTP_X_PROJECT_NAME",
    "user_domain_id": "HTTP_X_USER_DOMAIN_ID",
    "project_domain_id": "HTTP_X_PROJECT_DOMAIN_ID",
    "domain_id": "HTTP_X_DOMAIN_ID",
}
# The fields of a record of user, project and domain.
FIELDS = tuple(_HEADERS)
# keystone checks tokens itself; the contexts of other services may repeat
# what a client sent, and are compared with that.
_OF_KEYSTONE = "keystone.oslo_request_context"
# Where other services than nova keep their oslo.context.
_CONTEXTS = (
    _OF_KEYSTONE,
    "cinder.context",
    "neutron.context",
    "manila.context",
    "placement.context",
)
# Where webob keeps what an application sets on its request: glance, heat and
# those on pecan set ``context``.
_ADHOC = "webob.adhoc_attrs"
_ID_HEADERS = (
    "x-openstack-request-id",
    "x-compute-request-id",
    "openstack-request-id",
)


# What was there before the application was called: the identity headers of the
# client, the request id of the oslo.context that an earlier request left in
# this thread, and the thread.
Before = tuple[dict[str, Any], Any, int]

_NO_CLAIMS: dict[str, Any] = {}
# In place of a request id: it was not looked up.
_NOT_LOOKED_UP = object()


def before(environ: dict[str, Any], has_context: bool) -> Before:
    """Return what is not to be taken for the request's own.

    *has_context*: requests may have their id from oslo.context alone.
    """
    claims = _NO_CLAIMS
    # Written out: a loop takes three times as long.
    if (
        _STATUS in environ
        or "HTTP_X_USER_ID" in environ
        or "HTTP_X_PROJECT_ID" in environ
        or "HTTP_X_USER_NAME" in environ
        or "HTTP_X_PROJECT_NAME" in environ
        or "HTTP_X_USER_DOMAIN_ID" in environ
        or "HTTP_X_PROJECT_DOMAIN_ID" in environ
        or "HTTP_X_DOMAIN_ID" in environ
    ):
        claims = {
            name: environ[name]
            for name in (_STATUS, *_HEADERS.values())
            if name in environ
        }
    if has_context:
        # Looked up now: under eventlet this is the greenthread's.
        return claims, _current_id(), threading.get_ident()
    return claims, _NOT_LOOKED_UP, 0


def without_context(earlier: Before | None) -> Before | None:
    """Return *earlier* for a request whose thread serves others by now."""
    return None if earlier is None else (earlier[0], _NOT_LOOKED_UP, 0)


def identity_of(
    environ: dict[str, Any], earlier: Before | None
) -> dict[str, Any]:
    """Return the identity as far as it is known, as they were found.

    From the headers that an authtoken wrote, keystone's context, or that of
    another service.
    *earlier* is what before() returned for this request; None, where it was
    not asked.
    """
    status = environ.get(_STATUS)
    is_looked_at = _LOOKED_AT in environ
    claims = environ if earlier is None else earlier[0]
    if status == CONFIRMED and (is_looked_at or status != claims.get(_STATUS)):
        found = {
            field: environ.get(name)
            for field, name in _HEADERS.items()
            # What the client sent: nothing has replaced it.
            if is_looked_at or environ.get(name) != claims.get(name)
        }
        if found.get("user_id"):
            return found
    context = environ.get(_OF_KEYSTONE)
    if context is not None:
        return {field: getattr(context, field, None) for field in FIELDS}
    return _identity_in(_context_of(environ), claims)


def _identity_in(context: Any, claims: dict[str, Any]) -> dict[str, Any]:
    """Return the identity in a service's oslo.context, {} without a user.

    Services without an authtoken fill it as they like. A user whom the
    client's own headers claimed to be is none.
    """
    user = getattr(context, "user_id", None)
    if not user or user == claims.get(_HEADERS["user_id"]):
        return {}
    found = {field: getattr(context, field, None) for field in FIELDS}
    return {
        field: value
        for field, value in found.items()
        if value is None or value != claims.get(_HEADERS[field])
    }


def answered_id(environ: dict[str, Any], headers: Iterable[Any]) -> object:
    """Return the request's id where the environ has none of its own.

    From the context in the environ, or the response's *headers*. None without
    any.
    """
    context = _context_of(environ)
    if context is not None:
        found: object = getattr(context, "request_id", None)
        if found is not None:
            return found
    by_name = {}
    try:
        for name, value in headers:
            lower = name.lower()
            if lower in _ID_HEADERS:
                by_name[lower] = value
    except (TypeError, ValueError, AttributeError):
        # No headers of WSGI: the server has its own answer to that.
        return None
    for name in _ID_HEADERS if by_name else ():
        if name in by_name:
            return by_name[name]
    return None


def context_id(earlier: Before | None) -> object:
    """Return the id of the oslo.context that this request left in its thread.

    None where there is none, or it was, or may have been, there before; and
    in another thread, which may have served others.
    """
    if earlier is None or earlier[2] != threading.get_ident():
        return None
    current: object = _current_id()
    return current if current != earlier[1] else None


def _context_of(environ: dict[str, Any]) -> Any:
    for name in _CONTEXTS:
        context = environ.get(name)
        if context is not None:
            return context
    adhoc = environ.get(_ADHOC)
    return adhoc.get("context") if isinstance(adhoc, dict) else None


def _current_id() -> Any:
    """Return the request id of this thread's oslo.context, None if none."""
    module = sys.modules.get("oslo_context.context")
    if module is None:
        return None
    return getattr(module.get_current(), "request_id", None)
