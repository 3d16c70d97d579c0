# SPDX-License-Identifier: Apache-2.0
"""The page at the end of the demo, made of what the filter wrote."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.page.figures import RouteFigures
from demo.page.metrics import Metrics
from nova_profiler.groups import (
    COLORS,
    DB_API,
    DRIVER_GROUPS,
    EITHER,
    SQL,
    WAITING,
)
from nova_profiler.reading.advice.adding_up import advice_rows
from nova_profiler.reading.advice.page import Source, print_advice
from nova_profiler.reading.requests.calls_by_route import percentile
from nova_profiler.reading.screen.terminal import (
    HEADING,
    bar,
    counted,
    ms_text,
    plain_table,
    printable,
    share_text,
)
from nova_profiler.record import RequestRecord

_BAR_CELLS = 30
_SLOWEST = 10
_METRICS = 10
_ANSWER_PARTS = 3
_ANSWER_COLUMNS = 80


def show(
    console: Console,
    records: Sequence[RequestRecord],
    routes: Sequence[RouteFigures],
    metrics: Metrics,
    source: Source,
) -> None:
    """Print the page: each route, all together, the slowest, the metrics.

    *source* is what commands can read of it.
    """
    for route in routes:
        print_head(console, route.name)
        _print(console, _route(route))
        _print(console, _functions(route))
        _print(console, _breakdown(console, route))
        advice = advice_rows(route.calls.evidence.advice())
        print_advice(console, advice, source, route.name)
    print_head(console, "all together")
    _print(console, _whole(routes))
    print_head(console, f"the {_SLOWEST} slowest requests")
    _print(console, _slowest(records))
    print_head(console, f"metrics, the {_METRICS} with most time")
    _print(console, _metrics(metrics))


def show_commands(
    console: Console, head: str, commands: Sequence[tuple[str, str]]
) -> None:
    """Print commands to copy, each under what it shows."""
    print_head(console, head)
    for purpose, command in commands:
        if purpose:
            console.print(Text(f"  # {purpose}", style="dim"))
        # Whole lines, however narrow the screen: they are for copying.
        console.print(Text(f"  {command}"), soft_wrap=True)
    console.print()


def show_answer(console: Console, route: RouteFigures, command: str) -> None:
    """Print *route*, its largest parts, and *command*: 3 lines.

    The parts are those that a line of 80 columns has room for.
    """
    parts = [
        f"{part.label} {100 * part.share:.0f} %"
        for part in route.largest_named(_ANSWER_PARTS)
    ]
    while len(parts) > 1 and len(", ".join(parts)) > _ANSWER_COLUMNS:
        parts.pop()
    for line in (
        Text.assemble(
            f"{route.name} takes ",
            (f"{route.mean_ms:.1f} ms", HEADING),
            f", the slowest {max(route.calls.durations_ms):.1f} ms",
        ),
        Text(", ".join(parts)),
        Text(command),
    ):
        # Three lines, however narrow the screen.
        console.print(line, soft_wrap=True)


def short_id(record: RequestRecord) -> str:
    """Return as much of the request id as a dump's name and commands have."""
    return printable(record.request_id or "").removeprefix("req-")[:8]


def print_head(console: Console, text: str) -> None:
    """Print the line that begins a part."""
    console.rule(
        Text(text, style=HEADING),
        align="left",
        style="dim",
        characters="─" if console.encoding.startswith("utf") else "-",
    )


def _print(console: Console, what: Text | Table) -> None:
    console.print(Padding(what, (0, 0, 1, 2), expand=False))


def _route(route: RouteFigures) -> Text:
    durations = sorted(route.calls.durations_ms)
    return Text.assemble(
        f"{counted(route.calls.requests, 'request')}: mean ",
        (f"{route.mean_ms:.1f} ms", HEADING),
        f", p50 {percentile(durations, 50):.1f}"
        f", p95 {percentile(durations, 95):.1f}"
        f", max {durations[-1]:.1f}\n"
        f"a request: {route.statements:.3g} SQL statements, "
        f"{route.config_lookups:.0f} look-ups of options",
    )


def _functions(route: RouteFigures) -> Table:
    table = plain_table()
    # Headings in two lines, which leaves the names their room.
    table.add_column("DB API function", overflow="fold")
    table.add_column("calls", justify="right")
    table.add_column("a\nrequest", justify="right", style=HEADING)
    table.add_column("ms a\ncall", justify="right")
    table.add_column("driver", justify="right", style=SQL.bucket.color)
    table.add_column("the\nrest", justify="right", style=DB_API.bucket.color)
    # Cells are asked at once: a share of the time would look like the clock's.
    table.add_column("added up,\nms a request", justify="right")
    for row in route.calls.slowest_functions():
        fewest, most = route.each[row.name]
        driver_ms = row.driver_ms / row.calls
        table.add_row(
            row.name,
            str(row.calls),
            str(most) if most == fewest else f"{fewest} to {most}",
            ms_text(row.mean_ms, 2),
            ms_text(driver_ms, 2),
            ms_text(row.mean_ms - driver_ms, 2),
            ms_text(row.ms / route.calls.requests, 2),
        )
    return table


def _breakdown(console: Console, route: RouteFigures) -> Table:
    table = plain_table()
    table.add_column("where a request's time went")
    table.add_column("ms", justify="right")
    table.add_column("", justify="right")
    table.add_column("")
    for part in route.parts():
        table.add_row(
            part.label,
            ms_text(part.ms, 2),
            share_text(part.share),
            bar(
                console,
                part.share,
                _BAR_CELLS,
                COLORS.get(part.name, WAITING.color),
            ),
        )
    return table


def _whole(routes: Sequence[RouteFigures]) -> Text:
    """Return the sentences that the demo is for."""
    total_s = sum(route.calls.duration_ms for route in routes) / 1000
    rows = [route.calls.totals for route in routes]
    calls_s = sum(row.ms for row in rows) / 1000
    driver_s = sum(row.driver_ms for row in rows) / 1000
    sql_s = sum(_seconds(route, DRIVER_GROUPS) for route in routes)
    wrapper_s = sum(_seconds(route, (DB_API.bucket.name,)) for route in routes)
    # Without a CPU clock that is running or waiting.
    is_timed = all(EITHER.name not in one.mean_breakdown_ms for one in routes)
    running = "running " if is_timed else ""
    requests = sum(route.calls.requests for route in routes)
    lookups = sum(
        route.config_lookups * route.calls.requests for route in routes
    )
    return Text.assemble(
        f"{counted(requests, 'request')}, "
        f"{total_s:.1f} s one after the other.\n",
        (f"{sum(row.calls for row in rows)} DB API calls", HEADING),
        f" took {calls_s:.1f} s: ",
        (f"{driver_s:.1f} s in the driver", SQL.bucket.color),
        ", ",
        (
            f"{calls_s - driver_s:.1f} s in SQLAlchemy and nova's wrapper",
            DB_API.bucket.color,
        ),
        " (and what else runs inside).\nWith the API database, which nova "
        f"reaches without a DB API: {sql_s:.1f} s in the driver "
        f"({share_text(sql_s / total_s)} of all time), {wrapper_s:.1f} s "
        f"{running}in SQLAlchemy and wrapper "
        f"({share_text(wrapper_s / total_s)}).\n",
        (f"{lookups:.0f} look-ups of options", HEADING),
        " of oslo.config.",
    )


def _seconds(route: RouteFigures, buckets: Sequence[str]) -> float:
    means = route.mean_breakdown_ms
    ms = sum(means.get(bucket, 0.0) for bucket in buckets)
    return ms * route.calls.requests / 1000


def _slowest(records: Sequence[RequestRecord]) -> Table:
    table = plain_table()
    table.add_column("ms", justify="right", style=HEADING)
    table.add_column("request", overflow="fold")
    table.add_column("DB API", justify="right")
    table.add_column("driver", justify="right", style=SQL.bucket.color)
    table.add_column("waiting", justify="right", style=WAITING.color)
    table.add_column("id")
    slowest = sorted(records, key=lambda record: -record.duration_ms)
    for record in slowest[:_SLOWEST]:
        db_api = record.groups.get(DB_API.name)
        parts = record.parts_ms
        waiting_ms = parts.get(WAITING.name, 0.0)
        table.add_row(
            ms_text(record.duration_ms),
            printable(f"{record.method} {record.route}"),
            ms_text(db_api.ms) if db_api else "",
            ms_text(sum(parts.get(name, 0.0) for name in DRIVER_GROUPS)),
            "" if EITHER.name in parts else ms_text(waiting_ms),
            short_id(record),
        )
    return table


def _metrics(metrics: Metrics) -> Table:
    table = plain_table()
    table.title = (
        f"{metrics.lines} in {metrics.datagrams} datagrams, "
        f"{len(metrics.by_name)} names"
    )
    table.title_justify = "left"
    table.title_style = ""
    table.add_column("name", overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("mean ms", justify="right")
    timings = [
        (name, metric)
        for name, metric in metrics.by_name.items()
        if metric.kind == "ms"
    ]
    timings.sort(key=lambda item: -item[1].total)
    for name, metric in timings[:_METRICS]:
        table.add_row(
            name, str(metric.count), ms_text(metric.total / metric.count, 2)
        )
    if metrics.refused:
        table.caption = f"{len(metrics.refused)} lines were no metric"
    return table
