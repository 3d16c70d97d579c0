# SPDX-License-Identifier: Apache-2.0
"""A request's route, from a set that clients cannot make grow."""

from __future__ import annotations

import json
import re
from typing import Any

UNMATCHED = "unmatched"
# Routes that an application without nova's router may teach us.
MAX_LEARNED = 200
# nova has about 170; an application with more keeps the first ones.
MAX_ROUTES = 2_000

METHODS = frozenset(
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT".split()
)
OTHER_METHOD = "OTHER"

_VERSION = re.compile(r"/v\d{1,2}(?:\.\d{1,3})?\Z")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]{1,32}){0,4}\Z")
_ACTION = re.compile(rb'\s*\{\s*"([A-Za-z][\w-]{0,63})"\s*:')
_PROJECT = "/{project_id}"

_EC2_VERSIONS = (
    "1.0|2007-01-19|2007-03-01|2007-08-29|2007-10-10|2007-12-15|2008-02-01"
    "|2008-09-01|2009-04-04|latest"
)
_OPENSTACK_VERSIONS = (
    "2012-08-10|2013-04-04|2013-10-17|2015-10-15|2016-06-30|2016-10-06"
    "|2017-02-22|2018-08-27|2020-10-14|latest"
)
_METADATA = re.compile(
    rf"/(?P<ec2>{_EC2_VERSIONS})/(?P<kind>meta-data|user-data)(?:/|\Z)"
    rf"|/openstack/(?P<openstack>{_OPENSTACK_VERSIONS})(?:/|\Z)"
)

# Parts of a path that name one thing of many.
_ID = re.compile(
    r"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{8,}"
    r"|(?=[^/]*\d)[^/]{16,}|[^/]{40,}"
)
_PLAIN_PART = re.compile(r"[A-Za-z0-9._~-]{1,40}\Z")
_NOT_IN_METRICS = re.compile(r"[^A-Za-z0-9-]+")


class Routes:
    """Tells the route of each request of one process."""

    def __init__(self) -> None:
        self._by_object: dict[tuple[str, int], tuple[Any, str]] = {}
        self._learned: set[str] = set()

    def route_of(self, environ: dict[str, Any], path: str, status: int) -> str:
        """Return the route of a request that was answered with *status*.

        From nova's router where that decided: ``/v2.1/servers/{id}``, the
        same with or without a project in the path. The metadata API has a
        set of its own. For other applications, *path* with its ids as
        ``{id}``, learned from successful requests only; ``unmatched`` for
        all that is none of these.
        """
        if "routes.route" in environ:
            route = environ["routes.route"]
            if route is None:
                return UNMATCHED
            return self._routed(environ.get("SCRIPT_NAME", ""), route)
        metadata = _METADATA.match(path)
        if metadata:
            return _metadata_route(metadata)
        return self._guessed(path, status)

    def _routed(self, prefix: str, route: Any) -> str:
        key = (prefix, id(route))
        known = self._by_object.get(key)
        # The object is kept with its name, so that no other gets its id.
        if known is not None and known[0] is route:
            return known[1]
        name = _prefix_of(prefix) + template_of(route)
        if len(self._by_object) >= MAX_ROUTES:
            return UNMATCHED
        self._by_object[key] = (route, name)
        return name

    def _guessed(self, path: str, status: int) -> str:
        name = shape_of(path)
        if name is None:
            return UNMATCHED
        if name in self._learned:
            return name
        # Scanners ask for what is not there: only an answer teaches.
        if status >= 400 or len(self._learned) >= MAX_LEARNED:
            return UNMATCHED
        self._learned.add(name)
        return name


def shape_of(path: str) -> str | None:
    """Return *path* with its ids as ``{id}``, None if it is too odd.

    What can be told of a request before anybody has routed it.
    """
    if len(path) > 512:
        return None
    parts = [part for part in path.split("/") if part]
    if len(parts) > 12:
        return None
    named = []
    for part in parts:
        if _ID.fullmatch(part):
            named.append("{id}")
        elif _PLAIN_PART.match(part):
            named.append(part)
        else:
            return None
    return "/" + "/".join(named)


def template_of(route: Any) -> str:
    """Return the template of a Route of the Routes package.

    Built from its parsed parts, which hold names where ``routepath`` holds
    regular expressions.
    """
    parts = []
    for part in route.routelist:
        if isinstance(part, dict):
            parts.append("{" + str(part["name"]) + "}")
        else:
            parts.append(str(part))
    template = "/" + "".join(parts).strip("/")
    if template.startswith(_PROJECT):
        # The same call, written the old way.
        template = template[len(_PROJECT) :] or "/"
    return template.replace("{.format}", "").rstrip("/") or "/"


def _prefix_of(script_name: str) -> str:
    """Return the version in *script_name*, wherever the API is mounted."""
    version = _VERSION.search(script_name)
    if version:
        return version[0]
    return script_name if _PREFIX.match(script_name) else ""


def _metadata_route(found: re.Match[str]) -> str:
    if found["openstack"]:
        return f"/openstack/{found['openstack']}/*"
    if found["kind"] == "user-data":
        return f"/{found['ec2']}/user-data"
    return f"/{found['ec2']}/meta-data/*"


def action_of(environ: dict[str, Any], status: int) -> str | None:
    """Return the name of the server action that was asked for, if valid.

    It is the first key of the body, which nova has read by now and left in
    memory. Valid is what nova's controller knows; where that cannot be
    told, what looks like a name and was not refused.
    """
    body: Any = environ.get("wsgi.input")
    try:
        place = body.tell()
        body.seek(0)
        head = body.read(200)
        body.seek(place)
    except Exception:
        # Not in memory: nobody read it, or it cannot be read again.
        return None
    found = _ACTION.match(head)
    if not found:
        return None
    name = json.loads(b'"' + found[1] + b'"')
    known = _known_actions(environ)
    if known is not None:
        return name if name in known else None
    return name if status < 400 else None


def _known_actions(environ: dict[str, Any]) -> Any:
    try:
        arguments = environ["wsgiorg.routing_args"][1]
        return arguments["controller"].wsgi_actions
    except (KeyError, IndexError, TypeError, AttributeError):
        return None


def metric_name(route: str) -> str:
    """Return *route* as part of a metric's name: ``v2_1_servers_id_action``.

    ASCII letters, digits, ``_`` and ``-`` only; ``root`` for ``/``.
    """
    return _NOT_IN_METRICS.sub("_", route).strip("_") or "root"
