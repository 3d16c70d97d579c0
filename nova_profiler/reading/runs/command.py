# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler history``: keeps runs and shows how routes moved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nova_profiler.reading.command_line.options import (
    json_option,
    limit_option,
    timezone_option,
)
from nova_profiler.reading.logs import Unread
from nova_profiler.reading.runs.options import (
    engine_option,
    entries_of_logs,
    history_option,
    least_change_option,
    tell_unread,
    told,
)
from nova_profiler.reading.screen.terminal import bytes_text, printable

if TYPE_CHECKING:
    from nova_profiler.reading.runs.kept.run import Run


@click.group(
    "history", context_settings={"help_option_names": ["-h", "--help"]}
)
def command() -> None:
    """Keep runs and watch the times of their routes.

    A run is what one set of logs tells: a night of CI, a day of production.

    \b
    nova-profiler history add nightly-2026-11-21 logs/*.gz
    nova-profiler history trend
    """


@command.command("add")
@click.argument("name", metavar="NAME")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--replace", is_flag=True, help="In place of a run kept before.")
@timezone_option
@history_option
@json_option
def add(
    name: str,
    logs: tuple[str, ...],
    replace: bool,
    local: tzinfo | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Keep the requests in logs as the run NAME.

    As Parquet, one row a request. LOG is a file, a folder, a pattern or -
    for standard input, in any form that `report` reads. The run is there
    when it is whole, or not at all.

    \b
    nova-profiler history add nightly-2026-11-21 logs/*.gz
    """
    unread = Unread()
    with told():
        from nova_profiler.reading.runs.kept.store import History

        try:
            run, uncounted = History(directory).add(
                name,
                entries_of_logs(logs, unread, local),
                logs,
                replace=replace,
            )
        finally:
            tell_unread(unread)
    if as_json:
        figures = {
            **run._asdict(),
            "uncounted": uncounted,
            "unread": unread.figures(),
        }
        click.echo(json.dumps(figures, indent=2))
        return
    if uncounted:
        click.echo(
            f"skipped: {uncounted} requests whose time cannot be counted",
            err=True,
        )
    click.echo(
        f"kept {run.name}: {run.requests} requests, {bytes_text(run.bytes)}"
    )


@command.command("list")
@history_option
@json_option
def list_runs(directory: Path, as_json: bool) -> None:
    """List the runs that are kept, oldest first.

    \b
    nova-profiler history list
    """
    unreadable: list[str] = []
    with told():
        from nova_profiler.reading.runs.kept.store import History

        runs = History(directory).runs(unreadable)
    if as_json:
        click.echo(json.dumps([run._asdict() for run in runs], indent=2))
    else:
        from nova_profiler.reading.runs.kept.table import print_runs
        from nova_profiler.reading.screen.terminal import terminal

        print_runs(terminal(), [run._asdict() for run in runs])
    _tell_unreadable(unreadable)


@command.command("remove")
@click.argument("name", metavar="NAME")
@history_option
@json_option
def remove(name: str, directory: Path, as_json: bool) -> None:
    """Remove the run NAME.

    \b
    nova-profiler history remove nightly-2026-11-21
    """
    with told():
        from nova_profiler.reading.runs.kept.store import History

        History(directory).remove(name)
    click.echo(json.dumps({"removed": name}) if as_json else f"removed {name}")


@command.command("trend")
@click.argument("route", metavar="[ROUTE]", required=False)
@click.option(
    "--last",
    metavar="RUNS",
    type=click.IntRange(1),
    help="Only the newest so many runs.",
)
@limit_option(40, "How many routes to show; not of JSON.")
@least_change_option
@history_option
@engine_option
@json_option
def trend(
    route: str | None,
    last: int | None,
    limit: int,
    least_change: float,
    directory: Path,
    engine: str,
    as_json: bool,
) -> None:
    """Show p50 and p99 of each route over the runs.

    And where a route changed its level: told by ranks alone, corrected for
    the number of routes asked for. ROUTE is a route, with or without its
    method, or a part of some.

    \b
    nova-profiler history trend
    nova-profiler history trend /v2.1/servers/detail --last 30
    nova-profiler history trend "GET /v2.1/servers/detail"
    """
    unreadable: list[str] = []
    with told():
        from nova_profiler.reading.runs.kept.damaged import levels_of_sound
        from nova_profiler.reading.runs.kept.engines import engine_at
        from nova_profiler.reading.runs.kept.store import History

        history = History(directory)
        runs: Sequence[Run] = history.runs(unreadable)[-(last or 0) :]
        if not runs:
            raise click.ClickException(f"{directory}: no runs yet")
        with engine_at(engine) as backend:
            rows, runs = levels_of_sound(
                backend, history.directory, runs, unreadable
            )
    from nova_profiler.reading.runs.trend.levels import figures_of, trends_of

    is_timed = bool(rows)
    if route is not None:
        rows = [row for row in rows if _is_meant(route, row)]
    trends = trends_of(rows, [run.name for run in runs], least_change / 100)
    if as_json:
        figures = [figures_of(one) for one in trends]
        click.echo(json.dumps(figures, indent=2))
    elif not trends:
        _tell_unreadable(unreadable)
        raise click.ClickException(
            f"no route {printable(route)} with requests that did not fail"
            if is_timed
            else "all requests of these runs failed; there are no times"
        )
    else:
        from nova_profiler.reading.runs.trend.page import print_trends
        from nova_profiler.reading.screen.terminal import terminal

        print_trends(terminal(), trends, len(runs), limit)
    _tell_unreadable(unreadable)


def _is_meant(text: str, row: Mapping[str, Any]) -> bool:
    route: str = row["route"]
    method, _, rest = text.partition(" ")
    if method.isalpha() and rest.startswith("/"):
        # As the table names it.
        return (method.upper(), rest) == (row["method"], route)
    return route == text if text.startswith("/") else text in route


def _tell_unreadable(messages: list[str]) -> None:
    for message in messages:
        click.echo(f"skipped: {printable(message)}", err=True)
