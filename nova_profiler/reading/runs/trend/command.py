# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler history trend``: routes over the kept runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.durations import slow_option
from nova_profiler.reading.command_line.options import (
    json_option,
    limit_option,
)
from nova_profiler.reading.command_line.route_option import is_meant
from nova_profiler.reading.command_line.skipped import print_skipped
from nova_profiler.reading.runs.options import (
    engine_option,
    history_option,
    is_there,
    least_change_option,
    no_runs,
    uses_history_extra,
)

if TYPE_CHECKING:
    from nova_profiler.reading.runs.kept.engines import Rows
    from nova_profiler.reading.runs.kept.run import Run


@click.command("trend")
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
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "prometheus"]),
    default="text",
    show_default=True,
    help="prometheus has the newest run alone, as report has it of logs, for "
    "the textfile collector of node_exporter.",
)
@slow_option
@json_option
@uses_history_extra
def command(
    route: str | None,
    named_route: str | None,
    last: int | None,
    limit: int,
    least_change: float,
    directory: Path | str,
    engine: str,
    shape: str,
    slow_s: float,
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
    if as_json and shape not in ("text", "json"):
        raise click.UsageError(f"--json is not --format {shape}")
    skipped: list[str] = []
    _refuse_what_says_nothing(shape == "prometheus")
    if shape == "prometheus":
        _print_newest(directory, engine, route, 1000 * slow_s, limit, skipped)
    else:
        rows, runs = _levels_of(directory, last, engine, skipped)
        is_json = as_json or shape == "json"
        meant = _meant(rows, route)
        if not _print_trends(meant, runs, least_change, limit, is_json):
            say_nothing_found(_no_trends(route, rows, runs, directory))
    print_skipped(skipped)


def _refuse_what_says_nothing(is_prometheus: bool) -> None:
    """Raise UsageError for an option that the format has no use for."""
    given = [
        name
        for name in ("last", "least_change", "slow_s")
        if click.get_current_context().get_parameter_source(name)
        is ParameterSource.COMMANDLINE
    ]
    if is_prometheus and "last" in given:
        raise click.UsageError(
            "--format prometheus has the newest run alone: Prometheus "
            "keeps times itself"
        )
    if is_prometheus and "least_change" in given:
        raise click.UsageError(
            "--ignore-below is of several runs: --format prometheus has the "
            "newest alone"
        )
    if not is_prometheus and "slow_s" in given:
        raise click.UsageError("--slow needs --format prometheus")


def _meant(rows: Rows, route: str | None) -> Rows:
    return [
        row
        for row in rows
        if route is None or is_meant(route, row["route"], row["method"])
    ]


def _print_trends(
    rows: Rows,
    runs: Sequence[Run],
    least_change: float,
    limit: int,
    as_json: bool,
) -> bool:
    """Print the trends of *rows*; return whether there are any."""
    from nova_profiler.reading.runs.trend.levels import figures_of, trends_of

    trends = trends_of(rows, [run.name for run in runs], least_change / 100)
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
    return bool(trends)


def _no_trends(
    route: str | None, rows: Rows, runs: Sequence[Run], directory: Path | str
) -> str:
    if not runs:
        return no_runs(directory)
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
    found = history.runs(skipped) if is_there(directory) else []
    runs = found[-(last or 0) :]
    if not runs:
        return [], []
    with engine_at(engine) as backend:
        return levels_of_sound(backend, history.directory, runs, skipped)


def _print_newest(
    directory: Path | str,
    engine: str,
    route: str | None,
    slow_ms: float,
    limit: int,
    skipped: list[str],
) -> None:
    """Print the newest run that can be read, in Prometheus's text format."""
    from nova_profiler.reading.command_line import prometheus_text
    from nova_profiler.reading.runs.kept.buckets import history_at
    from nova_profiler.reading.runs.kept.damaged import damaged, hostile
    from nova_profiler.reading.runs.kept.engines import engine_at
    from nova_profiler.reading.runs.kept.run import HistoryError
    from nova_profiler.reading.runs.trend.textfile import summary_of_run

    history = history_at(directory)
    runs = history.runs(skipped) if is_there(directory) else []
    if not runs:
        say_nothing_found(no_runs(directory))
        return
    with engine_at(engine) as backend:
        for run in reversed(runs):
            try:
                why = hostile(backend, history.directory, [run])
                summary = (
                    None
                    if why
                    else summary_of_run(
                        backend,
                        history.directory,
                        run,
                        lambda method, name: (
                            route is None or is_meant(route, name, method)
                        ),
                        slow_ms,
                        limit,
                    )
                )
            except HistoryError:
                raise
            except Exception:
                summary = None
                why = damaged(backend, history.directory, [run])
                if not why:
                    raise
            if summary is not None:
                click.echo(prometheus_text.text_of(summary), nl=False)
                return
            skipped.extend(why.values())
    say_nothing_found("no run of this history can be read")
