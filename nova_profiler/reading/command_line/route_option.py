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
        help="Only this route, with its method in front or without; or any "
        "that contains the text if it does not begin with /.",
    )(function)


def is_meant(text: str, route: str, method: str = "") -> bool:
    """Return whether *text* means *route*: a route, or a part of many.

    With a *method*, ``GET /v2.1/servers`` means the requests of one method,
    as headings and tables name them.
    """
    of_method, rest = _parts(text, method)
    if of_method:
        return (of_method, rest) == (method.upper(), route)
    return route == text if text.startswith("/") else text in route


def meant_names(text: str | None) -> Callable[[str, str], bool]:
    """Return the test for routes as dumps' names have them, and methods.

    It means what ``is_meant`` means. Without a text it accepts every name.
    """
    if text is None:
        return lambda name, method: True
    of_method, rest = _parts(text, "any")
    wanted = name_of_route(rest)
    if of_method:
        return lambda name, method: (
            name == wanted and method.upper() == of_method
        )
    if text.startswith("/"):
        return lambda name, method: name == wanted
    return lambda name, method: wanted in name


def _parts(text: str, method: str) -> tuple[str, str]:
    """Return the method in front of a route, and the rest of *text*.

    The method is empty where none stands in front, or *method* is not known.
    """
    first, _, rest = text.partition(" ")
    rest = rest.lstrip(" ")
    if method and first.isalpha() and rest.startswith("/"):
        return first.upper(), rest
    return "", text
