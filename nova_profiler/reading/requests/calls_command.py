# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler calls``: the DB API table of each route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from nova_profiler.dump_store import DumpError, DumpStore, name_of_route
from nova_profiler.groups import GROUPS, Group
from nova_profiler.reading.advice.adding_up import advice_rows
from nova_profiler.reading.command_line.answers import (
    json_limit,
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.kind_option import (
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
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.route_option import meant_names
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services.search.absent_dumps import (
    why_no_dumps,
)
from nova_profiler.reading.requests.calls_by_route import (
    RouteCalls,
    calls_by_route,
    figures_of,
)
from nova_profiler.reading.requests.log_file_records import records_of_logs
from nova_profiler.record import REQUEST, RequestRecord

# From when on, and until when; None is without an end.
Span = tuple[str | None, str | None]

# By what an operator may write; "function" was there before other groups.
_GROUPS = {
    word: group
    for group in GROUPS
    for word in (group.also_called, group.name)
    if word
}
_DUMPS_NOTE = (
    "From dumps: only {}s that dump_when chose, mostly slow ones unless it "
    "is all. For all of them give the log_file."
)


@click.command("calls")
@click.argument(
    "log_files", metavar="[LOG_FILE]...", nargs=-1, type=click.Path()
)
@dump_dir_options
@filter_options
@kind_option(REQUEST.name)
@click.option(
    "--by",
    metavar="GROUP",
    type=click.Choice(sorted(_GROUPS)),
    default="function",
    show_default=True,
    help="Group of calls, with one row where these have no names: "
    f"{', '.join(sorted(_GROUPS))}.",
)
@limit_option(10, f"How many routes to show; {JSON_HAS_ALL}.")
@json_option
def command(
    log_files: tuple[str, ...],
    dump_dir: str | None,
    config_file: str | None,
    route: str | None,
    since: str | None,
    until: str | None,
    kind: WantedKind,
    by: str,
    limit: int,
    as_json: bool,
) -> None:
    """Show the DB API calls of each route and their times.

    From the dumps, or from logs that the option log_file made: files,
    folders, patterns or - for standard input, compressed or not.

    \b
    nova-profiler calls --route /v2.1/servers/detail
    nova-profiler calls /var/log/nova/profiler.jsonl --by sql
    """
    skipped = Skipped()
    store = None if log_files else store_of(dump_dir, config_file)
    records = (
        _of_logs(log_files, route, (since, until), kind, skipped)
        if store is None
        else _of_dumps(store, route, (since, until), kind, skipped)
    )
    routes = calls_by_route(records, _GROUPS[by].name)
    if as_json:
        shown = routes[: json_limit()]
        print_json(
            {
                "group": _GROUPS[by].name,
                "routes": [figures_of(one) for one in shown],
                "more": len(routes) - len(shown),
            }
        )
    elif any(one.functions for one in routes):
        options = {"--dump-dir": dump_dir, "--config-file": config_file}
        _print(routes, limit, _GROUPS[by], kind.noun, log_files, options)
    if not any(one.functions for one in routes) and not kind.about_others:
        why = _why_nothing(
            routes, _GROUPS[by], kind.noun, store, skipped.damaged
        )
        say_nothing_found(why)
    kind.print_others()
    skipped.print()


def _of_dumps(
    store: DumpStore,
    route: str | None,
    span: Span,
    kind: WantedKind,
    skipped: Skipped,
) -> Iterator[RequestRecord]:
    is_wanted = meant_names(route)
    foreign: list[str] = []
    chosen = []
    since, until = span
    for entry in store.entries(foreign, since):
        if until is not None and entry.started_at >= until:
            continue
        if is_wanted(entry.route_name, entry.method) and kind.has_method(
            entry.method
        ):
            chosen.append(entry)
    skipped.add_foreign(foreign)
    for entry in with_progress(chosen, "reading dumps", len(chosen)):
        try:
            yield store.read(entry)
        except DumpError as exc:
            skipped.add_damaged(exc)


def _of_logs(
    logs: Sequence[str],
    route: str | None,
    span: Span,
    kind: WantedKind,
    skipped: Skipped,
) -> Iterator[RequestRecord]:
    is_wanted = meant_names(route)
    since, until = span
    for record in records_of_logs(logs, skipped):
        if since is not None and record.started_at < since:
            continue
        if until is not None and record.started_at >= until:
            continue
        if is_wanted(name_of_route(record.route), record.method) and kind.has(
            record.kind
        ):
            yield record


def _why_nothing(
    routes: list[RouteCalls],
    group: Group,
    noun: str,
    store: DumpStore | None,
    damaged: int,
) -> str:
    from nova_profiler.reading.screen.terminal import counted

    requests = sum(one.requests for one in routes)
    if requests:
        return f"no {group.name} calls in {counted(requests, noun)}"
    if store is None:
        return f"no such {noun}s in these logs"
    return why_no_dumps(store, f"{noun}s", damaged)


def _print(
    routes: list[RouteCalls],
    limit: int,
    group: Group,
    noun: str,
    log_files: Sequence[str],
    options: Mapping[str, str | None],
) -> None:
    from nova_profiler.reading.advice.page import (
        print_advice,
        source_of_dumps,
        source_of_logs,
    )
    from nova_profiler.reading.requests.calls_page import print_calls
    from nova_profiler.reading.screen.terminal import counted, terminal

    calling = [one for one in routes if one.functions]
    console = terminal()
    print_advice(
        console,
        advice_rows(
            advice
            for one in routes
            for advice in one.evidence.advice(one.name if routes[1:] else "")
        ),
        source_of_logs(log_files) if log_files else source_of_dumps(options),
        routes[0].name,
    )
    print_calls(console, calling[:limit], group)
    if calling[limit:]:
        more = counted(len(calling) - limit, "route")
        click.echo(f"{more} more; see --limit")
    without = len(routes) - len(calling)
    if without:
        click.echo(f"{counted(without, 'route')} made no {group.name} calls")
    if not log_files:
        console.print(_DUMPS_NOTE.format(noun))
