# SPDX-License-Identifier: Apache-2.0
"""What both sides of an HTTP request call it, as far as each of them knows.

The sender has the type of the service, or its host, and the path with all ids
taken out. The other side has a name of its own, and the route that it chose.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nova_profiler.reading.advice.far_services import PROJECTS, project_of
from nova_profiler.reading.over_services.relations.served import Served

# Of projects whose type of service is their name.
_OTHERS = ("placement",)
_KNOWN = frozenset((*PROJECTS.values(), *_OTHERS))
_VERSION = re.compile(r"v[0-9]+(?:\.[0-9]+)?\Z")
_ONE_OF_MANY = re.compile(r"\{[^/]*\}")


class Request(NamedTuple):
    """A request as one side has it; what it does not know is empty."""

    verb: str
    project: str = ""
    route: str = ""


def sent_request(name: str) -> Request:
    """Return what a call *name* asks for: ``network GET /v2.0/ports``."""
    words = name.split(" ")
    if len(words) == 2:
        # A call to keystone, whose group is its service.
        words.insert(0, "identity")
    if len(words) != 3:
        return Request(next(filter(str.isupper, words), ""))
    service, verb, route = words
    return Request(verb, _known(project_of(service)), _common(route))


def served_request(one: Served) -> Request:
    """Return what the record *one* was asked for."""
    project = _known(one.service.partition("-")[0])
    return Request(one.method, project, _common(one.title.partition(" ")[0]))


def keys_of_sent(sent: Request) -> tuple[object, ...]:
    """Return all keys by which the far side of *sent* may look for it."""
    verb, project, route = sent
    return (
        ("to", verb, project, route),
        ("to", verb, project),
        ("any", verb, route),
        ("any", verb),
    )


def keys_for_sure(asked: Request) -> tuple[object, ...]:
    """Return the key of calls to the service and route of *asked*."""
    return (("to", *asked),) if asked.project and asked.route else ()


def likely_keys(asked: Request) -> tuple[object, ...]:
    """Return the keys of calls that *asked* may be the far side of.

    None of those that are known to have gone to another service.
    """
    verb, project, route = asked
    if not project:
        return ("any", verb, route), ("any", verb)
    return ("to", verb, project), ("to", verb, "")


def _known(project: str) -> str:
    return project if project in _KNOWN else ""


def _common(route: str) -> str:
    """Return *route* without what one of both sides does not have.

    That is the path below which a service is, and what an id is called.
    """
    parts = route.strip("/").split("/")
    if len(parts) > 1 and (parts[0] in _OTHERS or _VERSION.match(parts[1])):
        del parts[0]
    return _ONE_OF_MANY.sub("{}", "/".join(parts))
