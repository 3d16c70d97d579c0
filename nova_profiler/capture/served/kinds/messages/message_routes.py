# SPDX-License-Identifier: Apache-2.0
"""Routes of messages: few, whatever comes from the broker.

``rpc compute build_and_run_instance``. All database work that is sent to a
conductor comes as three methods; there the object's name and method stand in
their place: ``rpc conductor Instance.save``.
"""

from __future__ import annotations

from typing import Any

from nova_profiler.capture.call_names import MOST_NAMES, OTHER, identifier
from nova_profiler.capture.hooks.rpc.message_names import (
    BY_OBJECT,
    object_and_method,
    object_method,
    topic_of,
)
from nova_profiler.record import MESSAGE

_WORD = MESSAGE.word
_LONGEST = 80

# What a route was made of: topic, method, object, its method.
Key = tuple[Any, ...]


class MessageRoutes:
    """The routes that this process has served.

    Only what an endpoint has gets a route of its own, and what has only ever
    failed takes no place of others: a conductor looks for any method of an
    object.
    """

    def __init__(self) -> None:
        self._routes: dict[Key, str] = {}
        self._names: set[str] = set()
        # Of what has not ended well yet.
        self._failed: set[str] = set()

    def route_of(self, target: Any, message: Any) -> tuple[str, Key]:
        """Return the route of *message* to *target*, and what to learn."""
        key = _key_of(target, message)
        route = self._routes.get(key)
        if route is None:
            route = _route_of(target, message)
            if len(self._names) >= MOST_NAMES and route not in self._names:
                route = route_of_unknown(target)
        return route, key

    def learn(self, key: Key, route: str) -> bool:
        """Note that what *key* names is served as *route*.

        Returns whether it is one of the few.
        """
        if not _has_added(self._names, route):
            return False
        # Several spellings may have one route: not all are kept.
        if key and len(self._routes) < 2 * MOST_NAMES:
            self._routes[key] = route
        return True

    def learn_failed(self, route: str) -> bool:
        """Note that something of *route* has failed, in an endpoint.

        Returns whether it is one of the few.
        """
        return route in self._names or _has_added(self._failed, route)


def _has_added(names: set[str], route: str) -> bool:
    """Return whether *route* is in *names* now, which are few."""
    if route not in names:
        if len(names) >= MOST_NAMES:
            return False
        names.add(route)
    return True


def route_of_unknown(target: Any) -> str:
    """Return the route of a message whose method is not served here."""
    return f"{_WORD} {topic_of(target)} {OTHER}"


def _key_of(target: Any, message: Any) -> Key:
    """Return what names the route; empty for what no service sends."""
    method = message.get("method")
    # A long text would be hashed as a whole.
    if type(method) is not str or len(method) > _LONGEST:
        return ()
    if method not in BY_OBJECT:
        return target.topic, method
    name, called = object_and_method(method, message.get("args"))
    for part in (name, called):
        if part is not None and (
            type(part) is not str or len(part) > _LONGEST
        ):
            return ()
    return target.topic, method, name, called


def _route_of(target: Any, message: Any) -> str:
    method = message.get("method")
    if not isinstance(method, str) or method not in BY_OBJECT:
        return f"{_WORD} {topic_of(target)} {identifier(method)}"
    named = object_method(method, message.get("args"))
    if "." not in named and named != OTHER:
        # Of the three methods one has no method of the object.
        named = f"{named}.{method}"
    return f"{_WORD} {topic_of(target)} {named}"
