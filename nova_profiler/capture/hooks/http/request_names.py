# SPDX-License-Identifier: Apache-2.0
"""What names an HTTP request: its service, verb and route."""

from __future__ import annotations

import re
from typing import Any

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.hooks.http.far_routes import host_of, parts_of
from nova_profiler.groups import HTTP, HTTP_GROUPS, IDENTITY
from nova_profiler.routes import ID, METHODS, OTHER_METHOD

# Far more than the routes that one service calls, and the hosts that it
# calls beside services.
MOST_NAMES = 300
MOST_HOSTS = 30

IDENTITY_SERVICE = "identity"
_OTHERS = {name: CallKey(name, "other") for name in HTTP_GROUPS}
_SERVICE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_HOST = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}|\[[0-9a-f:.]{2,45}\]")

# Bounded by MOST_NAMES. The second is by a whole URL without its query, where
# that consists of words.
_keys: dict[tuple[str, str, str], CallKey] = {}
_of_words: dict[tuple[str, str, str], CallKey] = {}
# Bounded by MOST_HOSTS.
_services: set[str] = set()
_hosts: set[str] = set()


def known_service(service: str) -> str:
    """Return *service*, the type of one; ``other`` if it cannot be."""
    if service not in _services:
        if not _SERVICE.fullmatch(service):
            return "other"
        if len(_services) < MOST_HOSTS:
            _services.add(service)
    return service


def key_of(service: str, method: Any, url: Any) -> CallKey:
    """Return what names a request to *service*; its host if that is empty."""
    try:
        asked, head = service, url.partition("?")[0]
        key = _of_words.get((asked, method, head))
        if key is not None:
            return key
        authority, route = parts_of(head)
        if not service:
            service = _known_host(host_of(authority).lower())
        verb = method.upper()
        if verb not in METHODS:
            verb = OTHER_METHOD
    except Exception:
        # Neither text: whatever it is, the call goes on.
        return _OTHERS[HTTP.name]
    named = service, verb, route
    key = _keys.get(named)
    if key is None:
        key = _new_key(*named)
    if ID not in route and len(_of_words) < MOST_NAMES:
        rest = f"//{authority}{route}"
        # Words of references behind a host: no id in it, and no secret.
        if "@" not in rest and head in (f"http:{rest}", f"https:{rest}", rest):
            _of_words[asked, method, head] = key
    return key


def _known_host(host: str) -> str:
    """Return *host*, or ``other`` if there are too many, or it is none."""
    if host not in _hosts:
        if len(_hosts) >= MOST_HOSTS or not _HOST.fullmatch(host):
            return "other"
        _hosts.add(host)
    return host


def _new_key(service: str, verb: str, route: str) -> CallKey:
    is_identity = service == IDENTITY_SERVICE
    group = IDENTITY.name if is_identity else HTTP.name
    if len(_keys) >= MOST_NAMES:
        return _OTHERS[group]
    name = f"{verb} {route}" if is_identity else f"{service} {verb} {route}"
    key = _keys[service, verb, route] = CallKey(group, name)
    return key
