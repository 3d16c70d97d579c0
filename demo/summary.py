# SPDX-License-Identifier: Apache-2.0
"""The page at the end of the demo, made of what the filter wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.figures import (
    DRIVER_BUCKETS,
    WRAPPER_BUCKET,
    RouteFigures,
    percentile,
)
from demo.statsd_listener import Metric, StatsdListener
from nova_profiler.record import RequestRecord

_BAR_CELLS = 24
_SLOWEST = 10
_METRICS = 10
# What a bucket of breakdown_ms is called on the page, in its order there.
_BUCKETS = {
    "sql": ("SQL statements", "cyan"),
    "fetch": ("fetching rows", "cyan"),
    "connect": ("connecting", "cyan"),
    "pool_wait": ("waiting for a connection", "cyan"),
    "ping": ("pinging", "cyan"),
    "transaction": ("commit, rollback", "cyan"),
    "sqlalchemy": ("SQLAlchemy and nova's wrapper", "magenta"),
    "timed": ("timed callables", "yellow"),
    "waiting": ("not running", "bright_black"),
    "python": ("the rest: Python", "green"),
}


def show(
    console: Console,
    records: Sequence[RequestRecord],
    routes: Sequence[RouteFigures],
    statsd: StatsdListener,
) -> None:
    """Print the page: routes, the whole, the slowest, the metrics."""
    for route in routes:
        console.print(_route(console, route))
    console.print(_whole(routes))
    console.print(_slowest(records))
    console.print(_metrics(statsd))


def show_commands(
    console: Console, commands: Sequence[tuple[str, str]]
) -> None:
    """Print commands to copy, each under what it shows."""
    console.rule("[bold]read on", align="left", style="bright_black")
    for purpose, command in commands:
        console.print(f"  [bright_black]# {purpose}")
        # Whole lines, whatever the width: they are for copying.
        console.print(f"  {command}", soft_wrap=True, highlight=False)


def relative(path: Path) -> str:
    """Return *path* as it is shortest to type from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _route(console: Console, route: RouteFigures) -> RenderableType:
    durations = route.durations_ms
    head = Text.assemble(
        f"{route.requests} requests, mean ",
        (f"{route.total_ms / route.requests:.1f} ms", "bold"),
        f", median {percentile(durations, 0.5):.1f}"
        f", 95 % under {percentile(durations, 0.95):.1f}"
        f", slowest {max(durations):.1f};  {route.statements:g} statements "
        f"and {route.config_lookups:.0f} look-ups of options a request",
    )
    return Panel(
        Group(head, "", _functions(route), _breakdown(console, route)),
        title=f"[bold]{route.name}",
        title_align="left",
        border_style="blue",
        padding=(1, 2),
    )


def _functions(route: RouteFigures) -> Table:
    table = _table()
    table.add_column("DB API function")
    for name in ("calls", "a request", "mean ms", "total s"):
        table.add_column(name, justify="right")
    table.add_column("driver s", justify="right", style="cyan")
    table.add_column("SQLAlchemy s", justify="right", style="magenta")
    table.add_column("of the time", justify="right")
    for row in route.functions:
        each = f"{row.fewest}"
        if row.most != row.fewest:
            each = f"{row.fewest} to {row.most}"
        table.add_row(
            row.name,
            str(row.calls),
            each,
            f"{row.mean_ms:.2f}",
            f"{row.total_ms / 1000:.2f}",
            f"{row.driver_ms / 1000:.2f}",
            f"{row.wrapper_ms / 1000:.2f}",
            _percent(row.total_ms, route.total_ms),
        )
    return table


def _breakdown(console: Console, route: RouteFigures) -> Table:
    table = _table()
    table.add_column("where a request's time went")
    table.add_column("ms", justify="right")
    table.add_column("", justify="right")
    table.add_column("")
    block = "#" if console.options.ascii_only else "█"
    whole = sum(route.mean_breakdown_ms.values())
    known = [name for name in _BUCKETS if name in route.mean_breakdown_ms]
    for bucket in [*known, *(set(route.mean_breakdown_ms) - set(_BUCKETS))]:
        ms = route.mean_breakdown_ms[bucket]
        if not ms:
            continue
        label, colour = _BUCKETS.get(bucket, (bucket, "white"))
        cells = round(ms / whole * _BAR_CELLS)
        table.add_row(
            label,
            f"{ms:.2f}",
            _percent(ms, whole),
            Text(block * cells, style=colour),
        )
    return table


def _whole(routes: Sequence[RouteFigures]) -> RenderableType:
    """Return the sentences that the demo is for."""
    requests = sum(route.requests for route in routes)
    total_s = sum(route.total_ms for route in routes) / 1000
    functions = [row for route in routes for row in route.functions]
    calls = sum(row.calls for row in functions)
    calls_s = sum(row.total_ms for row in functions) / 1000
    driver_s = sum(row.driver_ms for row in functions) / 1000
    lookups = sum(route.config_lookups * route.requests for route in routes)
    buckets_s = {
        bucket: sum(
            route.mean_breakdown_ms.get(bucket, 0.0) * route.requests
            for route in routes
        )
        / 1000
        for bucket in (*DRIVER_BUCKETS, WRAPPER_BUCKET)
    }
    wrapper_s = buckets_s.pop(WRAPPER_BUCKET)
    text = Text.assemble(
        f"{requests} requests took {total_s:.1f} s between them and made ",
        (f"{calls} DB API calls", "bold"),
        f", which took {calls_s:.1f} s: ",
        (f"{driver_s:.1f} s in the driver", "bold cyan"),
        ", ",
        (f"{calls_s - driver_s:.1f} s in SQLAlchemy and nova", "bold magenta"),
        ".\nAll SQL, also that of the API database, which has no DB API: "
        f"{sum(buckets_s.values()):.1f} s in the driver and its pool "
        f"({_percent(sum(buckets_s.values()), total_s)} of the time), "
        f"{wrapper_s:.1f} s in SQLAlchemy under a DB API call "
        f"({_percent(wrapper_s, total_s)}).\nOptions were looked up ",
        (f"{lookups:.0f} times", "bold"),
        ".",
    )
    return Panel(
        text,
        title="[bold]all together",
        title_align="left",
        border_style="blue",
        padding=(1, 2),
    )


def _slowest(records: Sequence[RequestRecord]) -> Table:
    table = _table(f"the {_SLOWEST} slowest requests")
    table.add_column("ms", justify="right", style="bold")
    table.add_column("request")
    table.add_column("DB API ms", justify="right")
    table.add_column("calls", justify="right")
    table.add_column("not running ms", justify="right")
    table.add_column("started")
    table.add_column("request id", no_wrap=True)
    slowest = sorted(records, key=lambda record: -record.duration_ms)
    for record in slowest[:_SLOWEST]:
        db_api = record.groups.get("db_api")
        table.add_row(
            f"{record.duration_ms:.1f}",
            f"{record.method} {record.route}",
            f"{db_api.ms:.1f}" if db_api else "",
            str(db_api.calls) if db_api else "",
            f"{record.breakdown_ms.get('waiting', 0.0):.1f}",
            record.started_at[11:23],
            record.request_id or "",
        )
    return table


def _metrics(statsd: StatsdListener) -> Table:
    table = _table(
        f"statsd got {statsd.lines} metrics under {len(statsd.metrics)} "
        f"names in {statsd.datagrams} datagrams; those with most time"
    )
    table.add_column("name", overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("mean", justify="right")
    timings = [
        (name, metric)
        for name, metric in statsd.metrics.items()
        if metric.kind == "ms"
    ]
    timings.sort(key=lambda item: -item[1].total)
    for name, metric in timings[:_METRICS]:
        table.add_row(name, str(metric.count), _mean(metric))
    if statsd.refused:
        table.caption = f"not understood: {len(statsd.refused)}"
    return table


def _mean(metric: Metric) -> str:
    return f"{metric.total / metric.count:.2f} {metric.kind}"


def _table(title: str | None = None) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
