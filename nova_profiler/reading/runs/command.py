# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler history``: keeps runs, shows routes over the runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nova_profiler.command_name import command_name
from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.command_groups import SuggestingGroup
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    json_option,
    limit_option,
    timezone_option,
)
from nova_profiler.reading.command_line.route_option import is_meant
from nova_profiler.reading.command_line.skipped import (
    print_skipped,
    print_unread,
)
from nova_profiler.reading.logs import Unread
from nova_profiler.reading.runs.options import (
    engine_option,
    entries_of_logs,
    history_option,
    least_change_option,
    uses_history_extra,
)
from nova_profiler.reading.screen.terminal import bytes_text, counted

if TYPE_CHECKING:
    from nova_profiler.reading.runs.kept.engines import Rows
    from nova_profiler.reading.runs.kept.run import Run


@click.group(
    "history",
    cls=SuggestingGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Keep runs and watch the times of their routes.

    A run is the requests of one set of logs: a night of CI, a day of
    production.

    \b
    nova-profiler history add nightly-2026-11-21 logs/*.gz
    nova-profiler history trend
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("add")
@click.argument("name", metavar="NAME")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--replace", is_flag=True, help="Replace a run of this name.")
@timezone_option
@form_option
@history_option
@json_option
@uses_history_extra
def add(
    name: str,
    logs: tuple[str, ...],
    replace: bool,
    local: tzinfo | None,
    stated: tuple[str, ...],
    directory: Path | str,
    as_json: bool,
) -> None:
    """Keep the requests in logs as the run NAME.

    A run is Parquet, one row a request. LOG is a file, a folder, a pattern
    or - for standard input, in any form that `report` reads. An interrupted
    command leaves no part of a run.

    \b
    nova-profiler history add nightly-2026-11-21 logs/*.gz
    """
    from nova_profiler.reading.runs.kept.buckets import history_at

    unread = Unread()
    try:
        run, uncounted = history_at(directory).add(
            name,
            entries_of_logs(logs, unread, local, stated),
            logs,
            replace=replace,
        )
    finally:
        print_unread(unread)
    if as_json:
        figures = {
            **run._asdict(),
            "uncounted": uncounted,
            "unread": unread.figures(),
        }
        print_json(figures)
        return
    if uncounted:
        requests = counted(uncounted, "request")
        print_skipped([f"{requests} whose time cannot be counted"])
    requests = counted(run.requests, "request")
    click.echo(f"kept {run.name}: {requests}, {bytes_text(run.bytes)}")


@command.command("list")
@history_option
@json_option
@uses_history_extra
def list_runs(directory: Path | str, as_json: bool) -> None:
    """List the kept runs, oldest first.

    \b
    nova-profiler history list
    """
    from nova_profiler.reading.runs.kept.buckets import history_at

    skipped: list[str] = []
    history = history_at(directory)
    runs = history.runs(skipped) if _is_there(directory) else []
    if as_json:
        print_json({"runs": [run._asdict() for run in runs]})
    elif runs:
        from nova_profiler.reading.runs.kept.table import print_runs
        from nova_profiler.reading.screen.terminal import terminal

        print_runs(terminal(), [run._asdict() for run in runs])
    if not runs:
        say_nothing_found(_no_runs(directory))
    print_skipped(skipped)


@command.command("remove")
@click.argument("name", metavar="NAME")
@history_option
@json_option
@uses_history_extra
def remove(name: str, directory: Path | str, as_json: bool) -> None:
    """Remove the run NAME.

    \b
    nova-profiler history remove nightly-2026-11-21
    """
    from nova_profiler.reading.runs.kept.buckets import history_at

    history_at(directory).remove(name)
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"removed {name}")


@command.command("trend")
@click.argument("route", metavar="[ROUTE]", required=False)
@click.option(
    "--route",
    "named_route",
    metavar="ROUTE",
    help="The same as the argument, as other commands have it.",
)
@click.option(
    "--last",
    metavar="RUNS",
    type=click.IntRange(1),
    help="Take only this many runs, the newest.",
)
@limit_option(40, "How many routes to show; JSON has all.")
@least_change_option
@history_option
@engine_option
@json_option
@uses_history_extra
def trend(
    route: str | None,
    named_route: str | None,
    last: int | None,
    limit: int,
    least_change: float,
    directory: Path | str,
    engine: str,
    as_json: bool,
) -> None:
    """Show p50 and p99 of each route over the runs.

    And where a route changed its level, by a test that uses ranks alone and
    is corrected for the number of routes tested. ROUTE is a route, with or
    without its method, or a part of several.

    \b
    nova-profiler history trend
    nova-profiler history trend /v2.1/servers/detail --last 30
    nova-profiler history trend "GET /v2.1/servers/detail"
    """
    if route is not None and named_route is not None:
        raise click.UsageError("give ROUTE or --route, and one route")
    route = named_route if route is None else route
    skipped: list[str] = []
    rows, runs = _levels_of(directory, last, engine, skipped)
    from nova_profiler.reading.runs.trend.levels import figures_of, trends_of

    meant = [
        row
        for row in rows
        if route is None or is_meant(route, row["route"], row["method"])
    ]
    trends = trends_of(meant, [run.name for run in runs], least_change / 100)
    if as_json:
        print_json(
            {
                "runs": [run.name for run in runs],
                "routes": [figures_of(one) for one in trends],
            }
        )
    elif trends:
        from nova_profiler.reading.runs.trend.page import print_trends
        from nova_profiler.reading.screen.terminal import terminal

        print_trends(terminal(), trends, len(runs), limit)
    if not trends:
        say_nothing_found(_no_trends(route, rows, runs, directory))
    print_skipped(skipped)


def _is_there(directory: Path | str) -> bool:
    """Return false for the usual place before its first run.

    A directory that was named and is missing is an error, by what reads it.
    """
    source = click.get_current_context().get_parameter_source("directory")
    return source is not ParameterSource.DEFAULT or Path(directory).is_dir()


def _no_runs(directory: Path | str) -> str:
    return (
        f"no runs in {directory} yet; `{command_name()} history add NAME "
        f"LOG...` keeps one"
    )


def _no_trends(
    route: str | None, rows: Rows, runs: Sequence[Run], directory: Path | str
) -> str:
    if not runs:
        return _no_runs(directory)
    if not rows:
        return "all requests of these runs failed; there are no times"
    return f"no route {route} with requests that did not fail"


def _levels_of(
    directory: Path | str, last: int | None, engine: str, skipped: list[str]
) -> tuple[Rows, Sequence[Run]]:
    """Return the levels of the newest *last* runs, and these runs.

    *skipped* gets a line about each run that cannot be read.
    """
    from nova_profiler.reading.runs.kept.buckets import history_at
    from nova_profiler.reading.runs.kept.damaged import levels_of_sound
    from nova_profiler.reading.runs.kept.engines import engine_at

    history = history_at(directory)
    found = history.runs(skipped) if _is_there(directory) else []
    runs = found[-(last or 0) :]
    if not runs:
        return [], []
    with engine_at(engine) as backend:
        return levels_of_sound(backend, history.directory, runs, skipped)
