# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler list``: the dumps, newest or slowest first."""

from __future__ import annotations

import re
import time

import click

from nova_profiler.dump_store import is_ahead
from nova_profiler.reading.command_line.answers import (
    json_limit,
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.durations import Duration
from nova_profiler.reading.command_line.kind_option import (
    ALL,
    WantedKind,
    kind_option,
)
from nova_profiler.reading.command_line.options import (
    JSON_HAS_ALL,
    dump_dir_options,
    filter_options,
    json_option,
    limit_option,
    store_of,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services.search.absent_dumps import (
    why_no_dumps,
)
from nova_profiler.reading.requests.chosen_dumps import (
    Row,
    Wanted,
    chosen_rows,
)

_SORTS = ("newest", "slowest")
_STATUSES = re.compile(r"[0-9x]{1,3}(,[0-9x]{1,3})*")


def status_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> str | None:
    """Return statuses in lower case, or refuse what can be none."""
    if value is None:
        return None
    wanted = value.lower().replace(" ", "")
    if not _STATUSES.fullmatch(wanted):
        raise click.BadParameter(
            f"{value!r}: expected a status such as 404, 4xx or 409,5xx",
            ctx,
            param,
        )
    return wanted


@click.command("list")
@dump_dir_options
@filter_options
@kind_option(ALL)
@click.option(
    "--sort",
    type=click.Choice(_SORTS),
    default=_SORTS[0],
    show_default=True,
    help="Which come first.",
)
@click.option("--slowest", is_flag=True, help="The same as --sort slowest.")
@limit_option(20, f"How many to list; {JSON_HAS_ALL}.")
@click.option("--method", help="Only this method.")
@click.option(
    "--slow",
    "slow_s",
    metavar="TIME",
    type=Duration("s"),
    help="Only those that took at least this: 1s, 500ms, or seconds.",
)
@click.option(
    "--min-ms",
    metavar="TIME",
    type=Duration("ms"),
    help="The same; a number without a unit is milliseconds.",
)
@click.option("--user", help="Only this user or project, by name or id.")
@click.option(
    "--status",
    callback=status_of,
    help="Only this status: 404, 4xx, or 409,5xx.",
)
@click.option(
    "--failed", is_flag=True, help="Only those that failed or were killed."
)
@json_option
def command(
    dump_dir: str | None,
    config_file: str | None,
    sort: str,
    slowest: bool,
    limit: int,
    slow_s: float | None,
    min_ms: float | None,
    kind: WantedKind,
    as_json: bool,
    **wanted: object,
) -> None:
    """List the dumps of requests, messages and tasks, newest first.

    \b
    nova-profiler list --slowest --route /v2.1/servers/detail --since 2h
    nova-profiler list --failed --slow 500ms --json
    """
    store = store_of(dump_dir, config_file)
    # click's types are those of the fields.
    chosen = Wanted(
        kind=kind,
        min_ms=min_ms if slow_s is None else 1000 * slow_s,
        **wanted,  # type: ignore[arg-type]
    )
    skipped = Skipped()
    slowest = slowest or sort == _SORTS[1]
    if as_json:
        limit = json_limit()
    rows, most = chosen_rows(store, chosen, limit, slowest, skipped)
    # Only here: it takes a good part of a short run, which may fail before.
    from nova_profiler.reading.requests.dump_table import (
        figures_of,
        print_dumps,
    )
    from nova_profiler.reading.screen.terminal import terminal

    if as_json:
        dumps = [figures_of(*row) for row in rows]
        print_json({"dumps": dumps, "more": _more(len(rows), most, limit)})
    elif rows:
        print_dumps(terminal(), rows)
        _print_more(len(rows), most, limit, chosen.route is None)
        _print_ahead(rows)
    if not rows and not kind.about_others:
        say_nothing_found(why_no_dumps(store, damaged=skipped.damaged))
    kind.print_others()
    skipped.print()


def _more(listed: int, most: int | None, limit: int) -> int | None:
    """Return how many are not listed at most, None if that is not known."""
    if listed < limit:
        return 0
    return None if most is None else most - listed


def _print_more(
    listed: int, most: int | None, limit: int, is_exact: bool
) -> None:
    """Print how many there are: names of dumps have but a part of a route."""
    if most is None and listed == limit:
        click.echo(f"the first {listed}; --limit for more")
    elif most is not None and most > listed == limit:
        bound = "" if is_exact else "at most "
        click.echo(f"{listed} of {bound}{most}; --limit for more")


def _print_ahead(rows: list[Row]) -> None:
    now = time.time()
    ahead = sum(is_ahead(entry, now) for entry, _ in rows)
    if ahead:
        click.echo(
            f"{ahead} of them dated in the future: a clock was ahead, or this "
            "one is behind"
        )
