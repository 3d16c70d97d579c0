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
from contextlib import suppress
from contextvars import ContextVar, Token
from time import perf_counter
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.http.request_names import (
    IDENTITY_SERVICE,
    key_of,
    known_service,
)
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import Timing, call_timed
from nova_profiler.groups import IDENTITY

_Function = Callable[..., Any]

_TOKEN_CHECK = CallKey(IDENTITY.name, "fetch_token")
_REQUEST_ID = re.compile(
    r"req-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)

# What goes on after a reply is Python up to here, or else its body.
_QUICK_S = 0.001

# Instead of a time at which a reply came.
_NOT_SENT = 0.0
_SENT = -1.0


class _OnTheWire(Timing):
    """A request as requests sends it, for the time that urllib3 has it."""

    __slots__ = ("replied",)
    # When the head of its reply was there.
    replied: float

    def ended(self) -> float:
        """Return when the last of the reply was there."""
        now = perf_counter()
        replied = self.replied
        return replied if now - replied < _QUICK_S else now


# The type of the service that is called, empty where it is not known; what
# times a request, inside that. None: nothing is called.
_called: ContextVar[str | _OnTheWire | None] = ContextVar(
    "called_service", default=None
)


def install() -> Undo:
    """Time what is sent from now on; returns what undoes it."""
    session, identity = "keystoneauth1.session", _of_identity
    urlopen = "HTTPConnectionPool.urlopen"
    return patch_when_loaded(
        Point("http", module, path, wrap, takes, has_front=has_front)
        for module, path, wrap, takes, has_front in (
            # Each of its 27 parameters would be looked at in a front.
            (session, "Session.request", _logical, ("url", "method"), False),
            ("keystoneauth1.discover", "get_version_data", identity,
             ("url",), True),
            ("keystonemiddleware.auth_token", "AuthProtocol.fetch_token",
             _token_check, ("token",), True),
            # Its keywords have no names.
            ("requests.sessions", "Session.send", _sent, ("request",), False),
            ("urllib3.connectionpool", urlopen, _low, ("method", "url"), True),
            # Called by its module alone.
            ("http.client", "_read_headers", _head_read, (), False),
        )
    )  # fmt: skip


def _logical(request: _Function) -> _Function:
    """Note which service it calls; what is on the wire is timed below."""

    @functools.wraps(request)
    def known_request(*args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            # lane_here() would find none, too.
            if active and lane_here() is not None:
                token = _called.set(_service_of(kwargs))
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
        if token is None:
            return request(*args, **kwargs)
        try:
            return request(*args, **kwargs)
        finally:
            try:
                _called.reset(token)
            except Exception as exc:
                _reset(token, exc)

    return known_request


def _service_of(kwargs: dict[str, Any]) -> str:
    """Return the type of the service, empty where it is not known."""
    wanted = kwargs.get("endpoint_filter")
    if isinstance(wanted, dict):
        service = wanted.get("service_type")
        if isinstance(service, str) and service:
            return known_service(service)
    # Discovery and tokens are asked for inside another request, or without
    # a token.
    if kwargs.get("authenticated") is False or _called.get() is not None:
        return IDENTITY_SERVICE
    return ""


def _of_identity(function: _Function) -> _Function:
    """Note that what it sends is discovery."""

    @functools.wraps(function)
    def discovery(*args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            if active and lane_here() is not None:
                token = _called.set(IDENTITY_SERVICE)
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
        if token is None:
            return function(*args, **kwargs)
        try:
            return function(*args, **kwargs)
        finally:
            try:
                _called.reset(token)
            except Exception as exc:
                _reset(token, exc)

    return discovery


def _token_check(fetch: _Function) -> _Function:
    @functools.wraps(fetch)
    def timed_fetch(*args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
        if lane is None:
            return fetch(*args, **kwargs)
        return call_timed(lane, _TOKEN_CHECK, fetch, args, kwargs)

    return timed_fetch


def _sent(send: _Function) -> _Function:
    @functools.wraps(send)
    def timed_send(self: Any, request: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
            if lane is not None:
                called = _called.get()
                # It calls itself for a redirect that requests follows.
                if isinstance(called, _OnTheWire):
                    lane = None
                else:
                    method = getattr(request, "method", None)
                    url = getattr(request, "url", None)
                    key = key_of(called or "", method, url)
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
            lane = None
        if lane is None:
            return send(self, request, **kwargs)
        return _timed(lane, key, send, (self, request), kwargs)

    return timed_send


def _low(urlopen: _Function) -> _Function:
    @functools.wraps(urlopen)
    def timed_urlopen(
        self: Any, method: Any, url: Any, *args: Any, **kwargs: Any
    ) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
            if lane is not None:
                called = _called.get()
                if isinstance(called, _OnTheWire):
                    lane = None
                    if called.replied == _NOT_SENT:
                        called.replied = _SENT
                        called.start = perf_counter()
                else:
                    full = url
                    if isinstance(url, str) and url.startswith("/"):
                        full = f"//{getattr(self, 'host', '')}{url}"
                    key = key_of(called or "", method, full)
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
            lane = None
        if lane is None:
            return urlopen(self, method, url, *args, **kwargs)
        return _timed(lane, key, urlopen, (self, method, url, *args), kwargs)

    return timed_urlopen


def _head_read(read: _Function) -> _Function:
    """Note when the head of a reply is there, before it is made sense of."""

    @functools.wraps(read)
    def read_head(*args: Any, **kwargs: Any) -> Any:
        head = read(*args, **kwargs)
        try:
            called = _called.get()
            if isinstance(called, _OnTheWire):
                called.replied = perf_counter()
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
        return head

    return read_head


def _timed(
    lane: Lane,
    key: CallKey,
    function: _Function,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Return ``function(*args, **kwargs)``, with its reply's request id."""
    token = timing = None
    try:
        timing = _OnTheWire(lane, key.bit)
        timing.replied = _NOT_SENT
        token = _called.set(timing)
    except Exception as exc:
        HOOK_FAILURES.note("http_hook", exc)
    try:
        response = function(*args, **kwargs)
    except BaseException as exc:
        try:
            if timing is not None:
                timing.end(key, type(exc).__name__)
        except Exception as fault:
            HOOK_FAILURES.note("http_hook", fault)
        raise
    else:
        try:
            if timing is not None:
                ended = timing.ended()
                timing.end(key, None, _request_id_of(response), ended)
        except Exception as exc:
            HOOK_FAILURES.note("http_hook", exc)
        return response
    finally:
        try:
            if token is not None:
                _called.reset(token)
        except Exception as exc:
            _reset(token, exc)


def _reset(
    token: Token[str | _OnTheWire | None] | None, error: Exception
) -> None:
    """Reset once more what failed by *error*. Never raises."""
    HOOK_FAILURES.note("http_hook", error)
    with suppress(Exception):
        if token is not None:
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
