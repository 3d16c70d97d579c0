# SPDX-License-Identifier: Apache-2.0
"""A request's route, from a set that clients cannot make grow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from nova_profiler.capture.served.routing import Router
from nova_profiler.capture.served.routing.learned_routes import LearnedRoutes
from nova_profiler.capture.settings.route_files import (
    RouteTable,
    without_format,
)
from nova_profiler.routes import UNMATCHED, metadata_route_of, shape_of

# nova has about 170; an application with more keeps the first ones.
MAX_ROUTES = 2_000
# A process serves one application, or few.
MAX_ROUTERS = 10

_VERSION = re.compile(r"/v\d{1,2}(?:\.\d{1,3})?\Z")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]{1,32}){0,4}\Z")
_ACTION = re.compile(rb'\s*\{\s*"([A-Za-z][\w-]{0,63})"\s*:')
_PROJECT = "/{project_id}"
# What a router matches where it mounts another application.
_MOUNTED = "path_info"
# What a router leaves behind that no client chose.
_CHOSEN_BY_ROUTER = frozenset((_MOUNTED, "controller", "action", "format"))


class Routes:
    """The routes of the requests of one process."""

    def __init__(
        self, given: Callable[[], RouteTable | None] = lambda: None
    ) -> None:
        """*given* returns the operator's own routes."""
        self._given = given
        self._routers: tuple[Router, ...] = ()
        self._by_object: dict[tuple[str, int], tuple[Any, str | None]] = {}
        self._learned = LearnedRoutes()

    def ask(self, routers: Iterable[Router]) -> None:
        """Ask *routers* as well, those of applications that leave no route.

        Of too many the newest are asked.
        """
        new = [one for one in routers if one not in self._routers]
        self._routers = (*self._routers, *new)[-MAX_ROUTERS:]

    def route_of(self, environ: dict[str, Any], path: str, status: int) -> str:
        """Return the route of a request that was answered with *status*.

        From the router that answered: ``/v2.1/servers/{id}``, the same with
        or without a project in the path. A router that knew nothing and
        handed on has no say. Then from the routers to be asked. The metadata
        API has a set of its own. For other applications the operator's
        table; then *path* with its ids as ``{id}``, learned from successful
        requests only. ``unmatched`` for all that is none of these.
        """
        route = environ.get("routes.route")
        if route is not None:
            name = self._routed(environ.get("SCRIPT_NAME", ""), route)
            if name is not None:
                return name
        elif "routes.route" not in environ:
            for router in self._routers:
                name = router(environ)
                if name is not None:
                    return name
            name = metadata_route_of(path)
            if name is not None:
                return name
        table = self._given()
        if table is not None:
            name = table.route_of(path)
            if name is not None:
                return name
        # CORS answers OPTIONS of any path with 200; 0 is no answer.
        is_lesson = (
            0 < status < 400 and environ.get("REQUEST_METHOD") != "OPTIONS"
        )
        shape = shape_of(_without_values(environ, without_format(path)))
        if shape is None:
            return UNMATCHED
        return self._learned.route_of(shape, is_lesson) or UNMATCHED

    def _routed(self, prefix: str, route: Any) -> str | None:
        """Return the name of *route*, None if another application took it."""
        key = (prefix, id(route))
        known = self._by_object.get(key)
        # The object is kept with its name, so that no other gets its id.
        if known is not None and known[0] is route:
            return known[1]
        name = template_of(route)
        if name is not None:
            name = _prefix_of(prefix) + name
        if len(self._by_object) >= MAX_ROUTES:
            return UNMATCHED
        self._by_object[key] = (route, name)
        return name


def template_of(route: Any) -> str | None:
    """Return the template of a Route of the Routes package.

    Built from its parsed parts, which hold names where ``routepath`` holds
    regular expressions. None for one that mounts another application.
    """
    parts = []
    for part in route.routelist:
        if isinstance(part, dict):
            if part["name"] == _MOUNTED:
                return None
            parts.append("{" + str(part["name"]) + "}")
        else:
            parts.append(str(part))
    template = "/" + "".join(parts).strip("/")
    if template.startswith(_PROJECT):
        # The same call, written the old way.
        template = template[len(_PROJECT) :] or "/"
    return template.replace("{.format}", "").rstrip("/") or "/"


def _without_values(environ: dict[str, Any], path: str) -> str:
    """Return *path* with the values that a router found in it as numbers.

    placement's router leaves these behind and nothing else; what a client
    calls a trait is no part of a route.
    """
    arguments = environ.get("wsgiorg.routing_args")
    if arguments is None:
        return path
    try:
        found = arguments[1].items()
    except (KeyError, IndexError, TypeError, AttributeError):
        return path
    values = [
        value
        for name, value in found
        if isinstance(value, str) and name not in _CHOSEN_BY_ROUTER
    ]
    parts = path.split("/")
    for at in range(len(parts) - 1, 0, -1):
        if parts[at] and parts[at] in values:
            values.remove(parts[at])
            parts[at] = "0"
    return "/".join(parts)


def _prefix_of(script_name: str) -> str:
    """Return the version in *script_name*, wherever the API is mounted."""
    version = _VERSION.search(script_name)
    if version:
        return version[0]
    return script_name if _PREFIX.match(script_name) else ""


def action_of(environ: dict[str, Any], status: int) -> str | None:
    """Return the name of the server action that was asked for, if valid.

    It is the first key of the body, which nova has read by now and left in
    memory. Valid is what nova's controller knows; without a controller,
    what looks like a name and was not refused.
    """
    body: Any = environ.get("wsgi.input")
    try:
        place = body.tell()
        body.seek(0)
        head = body.read(200)
        body.seek(place)
    except Exception:
        # Not in memory: unread, or not to be read again.
        return None
    found = _ACTION.match(head)
    if not found:
        return None
    name = json.loads(b'"' + found[1] + b'"')
    known = _known_actions(environ)
    if known is not None:
        return name if name in known else None
    return name if 0 < status < 400 else None


def _known_actions(environ: dict[str, Any]) -> Any:
    try:
        arguments = environ["wsgiorg.routing_args"][1]
        return arguments["controller"].wsgi_actions
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
