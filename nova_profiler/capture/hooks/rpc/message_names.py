# SPDX-License-Identifier: Apache-2.0
"""Names of messages: topic, method, and what conductor does with it.

A message's context has tokens in clear, and its arguments have what users
sent: of all that, only the names of objects and their methods are read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from nova_profiler.capture.call_names import (
    OTHER,
    dotted,
    identifier,
    without_ids,
)

# Methods of conductor that stand for methods of objects.
_BY_CLASS = "object_class_action_versions"
BY_OBJECT = frozenset((_BY_CLASS, "object_action", "object_backport_versions"))
_OBJECT_NAME = "object.name"
# An object has five keys at most; what has very many is none.
_MOST_KEYS = 50

# Services have few topics; what comes besides is not worth keeping.
_short_topic = lru_cache(32)(without_ids)


def name_of_call(target: Any, message: Any, waits: object) -> str:
    """Return ``topic method``, with the kind unless it waits for a reply."""
    is_message = isinstance(message, Mapping)
    method = identifier(message.get("method") if is_message else None)
    name = f"{topic_of(target)} {method}"
    if method in BY_OBJECT:
        name += f".{object_method(method, message.get('args'))}"
    if waits:
        return name
    return f"{name} {'fanout' if target.fanout else 'cast'}"


def name_of_notification(target: Any, message: Any) -> str:
    """Return ``topic event notify``, such as ``instance.create.start``."""
    event = message.get("event_type") if isinstance(message, Mapping) else None
    return f"{topic_of(target)} {dotted(event)} notify"


def topic_of(target: Any) -> str:
    """Return the topic of *target*, without ids and without its server."""
    return _short_topic(target.topic)


def object_method(method: str, args: Any) -> str:
    """Return ``Object.method``, as far as this process has such objects."""
    name, called = object_and_method(method, args)
    known = _known_object(name)
    if known is None:
        return OTHER
    if called is None:
        return str(name)
    found = identifier(called)
    return f"{name}.{found if hasattr(known, found) else OTHER}"


def object_and_method(method: str, args: Any) -> tuple[object, object]:
    """Return the names in *args* of an object and its method, as they came.

    None for what is not there.
    """
    if not isinstance(args, Mapping):
        return None, None
    if method == _BY_CLASS:
        name = args.get("objname")
    else:
        name = _name_of_object(args.get("objinst"))
    return name, args.get("objmethod")


def _name_of_object(instance: Any) -> object:
    """Return the name in *instance*, an object as a message carries it."""
    if isinstance(instance, Mapping):
        # ``nova_object.name``; each project has a prefix of its own.
        for key in islice(instance, _MOST_KEYS):
            if isinstance(key, str) and key.endswith(_OBJECT_NAME):
                return instance[key]
        return None
    # Conductor in this process is given the object itself.
    name = getattr(instance, "obj_name", None)
    return name() if callable(name) else None


def _known_object(name: object) -> Any:
    """Return the class that the local registry of objects has for *name*."""
    module = sys.modules.get("oslo_versionedobjects.base")
    if module is None or not isinstance(name, str):
        return None
    classes = module.VersionedObjectRegistry.obj_classes().get(name)
    return classes[0] if classes else None
