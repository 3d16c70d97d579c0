# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler history``: keeps runs, shows routes over the runs."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

import click

from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.command_groups import SuggestingGroup
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    json_option,
    timezone_option,
)
from nova_profiler.reading.command_line.skipped import (
    print_skipped,
    print_unread,
)
from nova_profiler.reading.logs import Unread
from nova_profiler.reading.runs.options import (
    entries_of_logs,
    history_option,
    is_there,
    no_runs,
    uses_history_extra,
)
from nova_profiler.reading.runs.trend import command as trend_command
from nova_profiler.reading.screen.terminal import bytes_text, counted


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
    runs = history.runs(skipped) if is_there(directory) else []
    if as_json:
        print_json({"runs": [run._asdict() for run in runs]})
    elif runs:
        from nova_profiler.reading.runs.kept.table import print_runs
        from nova_profiler.reading.screen.terminal import terminal

        print_runs(terminal(), [run._asdict() for run in runs])
    if not runs:
        say_nothing_found(no_runs(directory))
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


command.add_command(trend_command.command)
