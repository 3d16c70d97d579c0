# SPDX-License-Identifier: Apache-2.0
"""The option that says in which time zone a log's hosts write."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, timezone, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from nova_profiler.reading.screen.terminal import printable

Function = TypeVar("Function", bound=Callable[..., Any])

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


def timezone_option(function: Function) -> Function:
    """Add the option ``--timezone``; UTC is None."""
    return click.option(
        "--timezone",
        "local",
        metavar="ZONE",
        callback=_zone_of,
        help="Of time stamps that name none: Europe/Berlin or +02:00. "
        "Without it they are UTC.",
    )(function)


def _zone_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tzinfo | None:
    if value is None or value.upper() in ("UTC", "Z"):
        return None
    try:
        return _offset_of(value) or ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise click.BadParameter(
            f"{printable(value)!r}: expected a zone such as Europe/Berlin, "
            "or what it is ahead of UTC, such as +02:00",
            ctx,
            param,
        ) from None


def _offset_of(text: str) -> tzinfo | None:
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-ahead if found[1] == "-" else ahead)
