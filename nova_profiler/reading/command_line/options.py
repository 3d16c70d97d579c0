# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have, and the meaning of their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from nova_profiler.dump_store import DumpStore
from nova_profiler.reading.command_line.dump_dir import dump_dir_of
from nova_profiler.reading.command_line.route_option import route_option

Function = TypeVar("Function", bound=Callable[..., Any])

_AGO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhdw])")
_UNITS = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


def moment_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> str | None:
    """Return a date, a time or an age as ISO 8601 in UTC.

    As text it sorts beside the ``started_at`` of records.
    """
    if value is None:
        return None
    try:
        moment = moment_ago(value)
        if moment is None:
            moment = datetime.fromisoformat(
                value.strip().replace("Z", "+00:00")
            )
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=timezone.utc)
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r}: expected an age such as 30m, 2h or 7d, or a time "
            f"such as 2026-11-21T10:35 (UTC)",
            ctx,
            param,
        ) from None
    return moment.isoformat(timespec="milliseconds")


def moment_ago(text: str) -> datetime | None:
    """Return the moment, in UTC, of an age such as ``30m`` or ``2h``.

    None for what is no age; raises OverflowError for one that no date has.
    """
    match = _AGO.fullmatch(text.strip())
    if match is None:
        return None
    age = timedelta(**{_UNITS[match[2]]: float(match[1])})
    return datetime.now(timezone.utc) - age


class Finite(click.FloatRange):
    """A number within bounds; neither ``nan`` nor ``inf`` nor ``1e400``."""

    name = "number"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return *value* as a number, or refuse it."""
        number = float(super().convert(value, param, ctx))
        # nan passes every comparison with a bound.
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Count(click.IntRange):
    """How many of something, at least one."""

    name = "whole number"

    def __init__(self) -> None:
        super().__init__(1)


_config_file_option = click.option(
    "--config-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="nova.conf or api-paste.ini to take dump_dir from.",
)


def dump_dir_options(function: Function) -> Function:
    """Add the options for the place of the dumps."""
    function = _config_file_option(function)
    return click.option(
        "--dump-dir",
        metavar="DIR",
        envvar="NOVA_PROFILER_DUMP_DIR",
        type=click.Path(file_okay=False),
        help="Where the dumps are; also NOVA_PROFILER_DUMP_DIR. Without it, "
        "the dump_dir of nova's configuration.",
    )(function)


def dump_dirs_options(function: Function) -> Function:
    """Add the options for the places of dumps, one or several."""
    function = _config_file_option(function)
    return click.option(
        "--dump-dir",
        "dump_dirs",
        metavar="DIR",
        envvar="NOVA_PROFILER_DUMP_DIR",
        multiple=True,
        type=click.Path(file_okay=False),
        help="Where the dumps are, or a folder of dump directories; may be "
        "given several times; also NOVA_PROFILER_DUMP_DIR. Without it, the "
        "dump_dir of nova's configuration.",
    )(function)


def filter_options(function: Function) -> Function:
    """Add the options that choose requests by route and time."""
    function = click.option(
        "--since",
        metavar="WHEN",
        callback=moment_of,
        help="Only requests from then on: 30m, 2h, 7d or 2026-11-21T10:35.",
    )(
        click.option(
            "--until",
            metavar="WHEN",
            callback=moment_of,
            help="Only requests from before then.",
        )(function)
    )
    return route_option(function)


def limit_option(default: int, help: str) -> Callable[[Function], Function]:
    """Return the option for the length of what is printed."""
    return click.option(
        "--limit",
        "-n",
        default=default,
        show_default=True,
        metavar="N",
        type=Count(),
        help=help,
    )


last_option = click.option(
    "--last",
    metavar="N",
    type=Count(),
    help="Only the newest N dumps that have stacks.",
)

# What a limit is for in JSON.
JSON_HAS_ALL = "JSON has all without it"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for other programs."
)


def store_of(dump_dir: str | None, config_file: str | None) -> DumpStore:
    """Return the dump store that the options mean."""
    return DumpStore(dump_dir or dump_dir_of(config_file))


def timezone_option(function: Function) -> Function:
    """Add the option ``--timezone``; UTC is None."""
    return click.option(
        "--timezone",
        "local",
        metavar="ZONE",
        callback=_zone_of,
        help="The zone of time stamps without one: Europe/Berlin or +02:00; "
        "without it, UTC.",
    )(function)


def _zone_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tzinfo | None:
    if value is None or value.upper() in ("UTC", "Z"):
        return None
    try:
        return _offset_of(value) or ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        # Only here: rich takes longer to import than a short command runs.
        from nova_profiler.reading.screen.terminal import printable

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
