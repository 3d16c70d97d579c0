# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler list``: the dumps, newest or slowest first."""

from __future__ import annotations

import json
import re
import time

import click

from nova_profiler.dump_store import is_ahead
from nova_profiler.reading.command_line.kind_option import (
    ALL,
    WantedKind,
    kind_option,
)
from nova_profiler.reading.command_line.options import (
    Finite,
    dump_dir_options,
    filter_options,
    json_option,
    limit_option,
    store_of,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.requests.chosen_dumps import (
    Row,
    Wanted,
    chosen_rows,
)

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
@click.option("--slowest", is_flag=True, help="Slowest first, not newest.")
@limit_option(20, "How many to list.")
@click.option("--method", help="Only this method.")
@click.option("--min-ms", type=Finite(0), help="Only those this long.")
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
    slowest: bool,
    limit: int,
    kind: WantedKind,
    as_json: bool,
    **wanted: object,
) -> None:
    """List the dumps of requests, messages and tasks, newest first.

    \b
    nova-profiler list --slowest --route /v2.1/servers/detail --since 2h
    """
    store = store_of(dump_dir, config_file)
    # click's types are those of the fields.
    chosen = Wanted(kind=kind, **wanted)  # type: ignore[arg-type]
    skipped = Skipped()
    rows, most = chosen_rows(store, chosen, limit, slowest, skipped)
    # Only here: it takes a good part of a short run, which may fail before.
    from nova_profiler.reading.requests.dump_table import (
        figures_of,
        print_dumps,
    )
    from nova_profiler.reading.screen.terminal import terminal

    if as_json:
        click.echo(json.dumps([figures_of(*row) for row in rows], indent=2))
    elif rows:
        print_dumps(terminal(), rows)
        _print_more(len(rows), most, limit)
        _print_ahead(rows)
    elif not kind.about_others:
        click.echo(f"no such dumps in {store.directory}", err=True)
    kind.print_others()
    skipped.print()


def _print_more(listed: int, most: int | None, limit: int) -> None:
    if most is None and listed == limit:
        click.echo(f"the first {listed}; --limit for more")
    elif most is not None and most > listed == limit:
        click.echo(f"{listed} of at most {most}; --limit for more")


def _print_ahead(rows: list[Row]) -> None:
    now = time.time()
    ahead = sum(is_ahead(entry, now) for entry, _ in rows)
    if ahead:
        click.echo(
            f"{ahead} of them dated in the future: a clock was ahead, or this "
            "one is behind"
        )
