# SPDX-License-Identifier: Apache-2.0
"""The option ``--route``, and the routes that its text means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from nova_profiler.dump_store import name_of_route

Function = TypeVar("Function", bound=Callable[..., Any])


def route_option(function: Function) -> Function:
    """Add the option that chooses requests by their route."""
    return click.option(
        "--route",
        metavar="ROUTE",
        help="Only this route, or any that contains the text if it does not "
        "begin with /.",
    )(function)


def is_meant(text: str, route: str, method: str = "") -> bool:
    """Return whether *text* means *route*: a route, or a part of many.

    With a *method*, ``GET /v2.1/servers`` means the requests of one method.
    """
    first, _, rest = text.partition(" ")
    if method and first.isalpha() and rest.startswith("/"):
        return (first.upper(), rest) == (method, route)
    return route == text if text.startswith("/") else text in route


def meant_names(text: str | None) -> Callable[[str], bool]:
    """Return the test for names of routes, as dumps have them.

    Without a text it accepts every name.
    """
    if text is None:
        return lambda name: True
    wanted = name_of_route(text)
    if text.startswith("/"):
        return lambda name: name == wanted
    return lambda name: wanted in name
