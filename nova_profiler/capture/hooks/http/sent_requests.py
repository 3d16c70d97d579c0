# SPDX-License-Identifier: Apache-2.0
"""Hook that times HTTP requests to other services, each of them once.

keystoneauth knows the type of the service that it calls, and sends each try
through requests, which sends it through urllib3. The try is timed in requests,
and in urllib3 where that is used alone. Token requests and discovery are the
identity service's, and so is the check of the client's own token.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, current_lane, lane_here
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.http.far_routes import parts_of
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import Timing, call_timed
from nova_profiler.groups import HTTP, IDENTITY
from nova_profiler.routes import METHODS, OTHER_METHOD

# Far more than the routes that one service calls, and the hosts that it
# calls beside services.
MOST_NAMES = 300
MOST_HOSTS = 30

_Function = Callable[..., Any]

_TOKEN_CHECK = CallKey(IDENTITY.name, "fetch_token")
_OTHERS = {name: CallKey(name, "other") for name in (HTTP.name, IDENTITY.name)}

_IDENTITY_SERVICE = "identity"
_SERVICE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_HOST = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}|\[[0-9a-f:.]{2,45}\]")
_REQUEST_ID = re.compile(
    r"req-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)

# Bounded by MOST_NAMES.
_keys: dict[tuple[str, str, str], CallKey] = {}
_hosts: set[str] = set()

# The type of the service that keystoneauth is calling, empty where it is not
# known; _ON_THE_WIRE inside what is timed. None: nothing is called.
_ON_THE_WIRE = "on the wire"
_called: ContextVar[str | None] = ContextVar("called_service", default=None)


def install() -> Undo:
    """Time what is sent from now on; returns what undoes it."""
    session, identity = "keystoneauth1.session", _of_identity
    urlopen = "HTTPConnectionPool.urlopen"
    return patch_when_loaded(
        Point("http", *rest)
        for rest in (
            (session, "Session.request", _logical, ("url", "method")),
            ("keystoneauth1.discover", "get_version_data", identity, ("url",)),
            ("keystonemiddleware.auth_token", "AuthProtocol.fetch_token",
             _token_check, ("token",)),
            ("requests.sessions", "Session.send", _sent, ("request",)),
            ("urllib3.connectionpool", urlopen, _low, ("method", "url")),
        )
    )  # fmt: skip


def _logical(request: _Function) -> _Function:
    """Note which service it calls; what is on the wire is timed below."""

    @functools.wraps(request)
    def known_request(*args: Any, **kwargs: Any) -> Any:
        # lane_here() would say so, too.
        if (current_lane() is None and not active) or lane_here() is None:
            return request(*args, **kwargs)
        token = _called.set(_service_of(kwargs))
        try:
            return request(*args, **kwargs)
        finally:
            _called.reset(token)

    return known_request


def _service_of(kwargs: dict[str, Any]) -> str:
    """Return the type of the service, empty where it is not known."""
    wanted = kwargs.get("endpoint_filter")
    if isinstance(wanted, dict):
        service = wanted.get("service_type")
        if isinstance(service, str) and service:
            return service if _SERVICE.fullmatch(service) else "other"
    # Discovery and tokens are asked for inside another request, or without
    # a token.
    if kwargs.get("authenticated") is False or _called.get() is not None:
        return _IDENTITY_SERVICE
    return ""


def _of_identity(function: _Function) -> _Function:
    """Note that what it sends is discovery."""

    @functools.wraps(function)
    def discovery(*args: Any, **kwargs: Any) -> Any:
        if lane_here() is None:
            return function(*args, **kwargs)
        token = _called.set(_IDENTITY_SERVICE)
        try:
            return function(*args, **kwargs)
        finally:
            _called.reset(token)

    return discovery


def _token_check(fetch: _Function) -> _Function:
    @functools.wraps(fetch)
    def timed_fetch(*args: Any, **kwargs: Any) -> Any:
        lane = lane_here()
        if lane is None:
            return fetch(*args, **kwargs)
        return call_timed(lane, _TOKEN_CHECK, fetch, args, kwargs)

    return timed_fetch


def _sent(send: _Function) -> _Function:
    @functools.wraps(send)
    def timed_send(self: Any, request: Any, **kwargs: Any) -> Any:
        lane = lane_here()
        # It calls itself for a redirect that requests follows.
        if lane is None or (called := _called.get()) is _ON_THE_WIRE:
            return send(self, request, **kwargs)
        method = getattr(request, "method", None)
        url = getattr(request, "url", None)
        key = _key_of(called or "", method, url)
        return _timed(lane, key, send, (self, request), kwargs)

    return timed_send


def _low(urlopen: _Function) -> _Function:
    @functools.wraps(urlopen)
    def timed_urlopen(
        self: Any, method: Any, url: Any, *args: Any, **kwargs: Any
    ) -> Any:
        lane = lane_here()
        if lane is None or (called := _called.get()) is _ON_THE_WIRE:
            return urlopen(self, method, url, *args, **kwargs)
        full = url
        if isinstance(url, str) and url.startswith("/"):
            full = f"//{getattr(self, 'host', '')}{url}"
        key = _key_of(called or "", method, full)
        return _timed(lane, key, urlopen, (self, method, url, *args), kwargs)

    return timed_urlopen


def _timed(
    lane: Lane,
    key: CallKey,
    function: _Function,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Return ``function(*args, **kwargs)``, with its reply's request id."""
    token = _called.set(_ON_THE_WIRE)
    timing = Timing(lane, key.bit)
    try:
        response = function(*args, **kwargs)
    except BaseException as exc:
        timing.end(key, type(exc).__name__)
        raise
    else:
        timing.end(key, figure=_request_id_of(response))
        return response
    finally:
        _called.reset(token)


def _request_id_of(response: Any) -> Any:
    """Return the far side's id of the request, 0 without a valid one."""
    try:
        headers = response.headers
        value = headers.get("x-openstack-request-id") or headers.get(
            "x-compute-request-id"
        )
        if value and _REQUEST_ID.fullmatch(value):
            return value
    except Exception:
        # Not a response of the kind that is known.
        return 0
    return 0


def _key_of(service: str, method: Any, url: Any) -> CallKey:
    """Return what names a request to *service*; its host if that is empty."""
    try:
        host, route = parts_of(url)
        if not service:
            service = _known_host(host.lower())
        verb = method.upper()
        if verb not in METHODS:
            verb = OTHER_METHOD
    except Exception:
        # Neither text: whatever it is, the call goes on.
        return _OTHERS[HTTP.name]
    named = service, verb, route
    key = _keys.get(named)
    return _new_key(*named) if key is None else key


def _known_host(host: str) -> str:
    """Return *host*, or ``other`` if there are too many, or it is none."""
    if host not in _hosts:
        if len(_hosts) >= MOST_HOSTS or not _HOST.fullmatch(host):
            return "other"
        _hosts.add(host)
    return host


def _new_key(service: str, verb: str, route: str) -> CallKey:
    is_identity = service == _IDENTITY_SERVICE
    group = IDENTITY.name if is_identity else HTTP.name
    if len(_keys) >= MOST_NAMES:
        return _OTHERS[group]
    name = f"{verb} {route}" if is_identity else f"{service} {verb} {route}"
    key = _keys[service, verb, route] = CallKey(group, name)
    return key
