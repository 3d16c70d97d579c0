# SPDX-License-Identifier: Apache-2.0
"""A request's route, from a set that clients cannot make grow."""

from __future__ import annotations

import json
import re
from typing import Any

from nova_profiler.routes import UNMATCHED, metadata_route_of, shape_of

# Routes that an application without nova's router may teach us.
MAX_LEARNED = 200
# nova has about 170; an application with more keeps the first ones.
MAX_ROUTES = 2_000

_VERSION = re.compile(r"/v\d{1,2}(?:\.\d{1,3})?\Z")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]{1,32}){0,4}\Z")
_ACTION = re.compile(rb'\s*\{\s*"([A-Za-z][\w-]{0,63})"\s*:')
_PROJECT = "/{project_id}"


class Routes:
    """The routes of the requests of one process."""

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
        return metadata_route_of(path) or self._guessed(path, status)

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
        if not 0 < status < 400 or len(self._learned) >= MAX_LEARNED:
            return UNMATCHED
        self._learned.add(name)
        return name


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
