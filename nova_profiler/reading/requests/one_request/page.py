# SPDX-License-Identifier: Apache-2.0
"""The page of one request: its facts, and where its time went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nova_profiler.groups import COLORS, GROUPS, WRAPPER, Group
from nova_profiler.profiles.loading import Profile
from nova_profiler.reading.code.hot_path_page import hot_path_parts
from nova_profiler.reading.record_words import title_of
from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.call_tree import (
    Senders,
    tree_parts,
)
from nova_profiler.reading.requests.one_request.far_records import far_records
from nova_profiler.reading.requests.one_request.lane_picture import (
    lane_picture,
)
from nova_profiler.reading.requests.one_request.unfinished import (
    open_parts,
    outcome_of,
)
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    WARNING,
    bar,
    bytes_text,
    ms_text,
    page_width,
    plain_table,
    printable,
    safe,
    share_text,
    time_text,
)
from nova_profiler.record import (
    FAILED,
    KILLED,
    OK,
    RequestRecord,
    StatementTotals,
)

# The page fits one screen; --json has everything.
_MOST_BUCKETS = 12
_MOST_CALLS = 8
_MOST_STATEMENTS = 5
_MOST_REPEATED = 3
_LONGEST_ENGINE = 24


def print_request(
    console: Console,
    record: RequestRecord,
    next_commands: Sequence[str],
    profile: Profile | None = None,
) -> None:
    """Print the page of *record*, with *next_commands* at its end.

    *profile* is made of its stacks, None without any.
    """
    width = page_width(console)
    for part in _header(record, width):
        console.print(part, width=width)
    sections: tuple[tuple[str, Sequence[RenderableType]], ...] = (
        ("What it was in when last seen", open_parts(record)),
        ("Where its time went", _breakdown(console, record)),
        *(
            (group.title, _functions(record, group))
            for group in GROUPS
            if group.title
        ),
        ("Which call made which", tree_parts(record)),
        ("Slowest statements", _statements(record, width)),
        (
            "Repeated statements, one for all might have done",
            _repeated(record, width),
        ),
        (
            "Hot path" if profile is None else f"Hot path, {profile.engine}",
            []
            if profile is None
            else hot_path_parts(
                profile,
                record.duration_ms,
                len(figures.lanes_of(record)),
            ),
        ),
        ("Requests that other services have records of", far_records(record)),
        ("When the calls ran", lane_picture(console, record, width - 2)),
        ("Note", [safe(note, WARNING) for note in figures.notes_of(record)]),
    )
    for heading, parts in sections:
        if parts:
            console.print()
            console.print(Text(heading, style=HEADING))
            for part in parts:
                indented = Padding(part, (0, 0, 0, 2), expand=False)
                console.print(indented, width=width)
    if next_commands:
        console.print()
        console.print(Text("Next", style=HEADING))
        for command in next_commands:
            # Unbroken on a narrow terminal, too: a person copies it.
            console.print(safe(f"  {command}"), soft_wrap=True)


def _header(record: RequestRecord, width: int) -> Iterator[RenderableType]:
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    status = "no status" if not record.status else str(record.status)
    grid.add_row(
        safe(f"{record.method} {title_of(record)}", "bold"),
        Text.assemble(
            (status, _status_style(record)),
            "   ",
            (f"{ms_text(record.duration_ms)} ms", "bold"),
        ),
    )
    yield grid
    if record.outcome != OK:
        yield safe(outcome_of(record), BAD)
    if record.path != record.route:
        yield safe(record.path, FAINT)
    yield _facts(
        width,
        ("at", f"{time_text(record.started_at)} UTC"),
        ("user", record.user_name or record.user_id),
        ("project", record.project_name or record.project_id),
        ("from", record.remote_address),
    )
    yield _facts(
        width,
        ("", record.request_id),
        ("", f"{record.service} on {record.host} pid {record.pid:.0f}"),
        ("sent", _bytes_or_unknown(record.response_bytes)),
        ("cpu", _ms_or_none(record.cpu_ms)),
    )
    if record.global_request_id:
        yield _facts(width, ("global id", record.global_request_id))


def _facts(width: int, *facts: tuple[str, str | None]) -> Text:
    """Return the *facts* with a value in lines, broken between two."""
    lines = [Text()]
    for label, value in facts:
        if not value:
            continue
        fact = Text()
        if label:
            fact.append(f"{label} ", style=FAINT)
        fact.append(printable(value))
        if lines[-1] and lines[-1].cell_len + 3 + fact.cell_len > width:
            lines.append(Text())
        if lines[-1]:
            lines[-1].append("   ")
        lines[-1].append_text(fact)
    return Text("\n").join(lines)


def _breakdown(
    console: Console, record: RequestRecord
) -> list[RenderableType]:
    buckets = figures.buckets_of(record)
    if not buckets:
        return []
    table = plain_table()
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    room = max(10, page_width(console) - 60)
    longest = max(bucket.share for bucket in buckets)
    for bucket in buckets[:_MOST_BUCKETS]:
        style = COLORS.get(bucket.name, "green")
        table.add_row(
            safe(bucket.label),
            f"{ms_text(bucket.ms)} ms",
            share_text(bucket.share),
            bar(console, bucket.share / longest, room, style),
        )
    parts: list[RenderableType] = [table]
    if buckets[_MOST_BUCKETS:]:
        rest_ms = sum(bucket.ms for bucket in buckets[_MOST_BUCKETS:])
        parts.append(_more(len(buckets) - _MOST_BUCKETS, rest_ms))
    parts.extend(map(Text, figures.group_sentences(record)))
    return parts


def _functions(record: RequestRecord, group: Group) -> list[RenderableType]:
    calls = figures.calls_of(record, group.name)
    if not calls:
        return []
    table = plain_table()
    table.add_column(group.named, overflow="fold", ratio=1)
    headings = ["calls", "total ms", "mean ms", "max ms"]
    if group.kind == WRAPPER:
        headings.append("driver")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for call in calls[:_MOST_CALLS]:
        name = safe(call.name)
        if call.nested:
            name.append(f" +{call.nested} inside others", style=FAINT)
        if call.errors:
            name.append(f" {call.errors} failed", style=BAD)
        count = call.count - call.nested
        share = None
        if call.driver_ms is not None and call.ms > 0:
            share = float(call.driver_ms) / call.ms
        cells = [
            str(count),
            ms_text(call.ms),
            ms_text(call.ms / count if count > 0 else 0.0, 2),
            ms_text(call.max_ms, 2),
        ]
        if group.kind == WRAPPER:
            cells.append(share_text(share))
        table.add_row(name, *cells)
    parts: list[RenderableType] = [table]
    if calls[_MOST_CALLS:]:
        rest_ms = sum(call.ms for call in calls[_MOST_CALLS:])
        parts.append(_more(len(calls) - _MOST_CALLS, rest_ms))
    return parts


def _statements(record: RequestRecord, width: int) -> list[RenderableType]:
    rows = figures.slowest_statements(record)
    if not rows:
        return []
    table = plain_table()
    for heading in ("total ms", "times", "max ms", "rows"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("statement", ratio=1)
    senders = Senders(record)
    for row in rows[:_MOST_STATEMENTS]:
        table.add_row(
            ms_text(row.ms),
            str(row.count),
            ms_text(row.max_ms, 2),
            "-" if row.rows is None else str(row.rows),
            _statement_text(row, width - 36).append_text(senders.of(row)),
        )
    parts: list[RenderableType] = [table]
    if rows[_MOST_STATEMENTS:]:
        rest_ms = sum(row.ms for row in rows[_MOST_STATEMENTS:])
        parts.append(_more(len(rows) - _MOST_STATEMENTS, rest_ms))
    return parts


def _repeated(record: RequestRecord, width: int) -> list[RenderableType]:
    rows = figures.repeated_statements(record)
    if not rows:
        return []
    table = plain_table()
    table.show_header = False
    table.add_column(justify="right", no_wrap=True, style=WARNING)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    senders = Senders(record)
    for row in rows[:_MOST_REPEATED]:
        table.add_row(
            f"{row.count} times",
            f"{ms_text(row.ms)} ms together",
            _cropped(row, width - 36).append_text(senders.of(row)),
        )
    return [table]


def _statement_text(row: StatementTotals, room: int) -> Text:
    engine = safe(row.engine, FAINT)
    engine.truncate(_LONGEST_ENGINE, overflow="ellipsis")
    text = _cropped(row, 2 * room - len(engine) - 12)
    if row.errors:
        text.append(f"  {row.errors} failed", style=BAD)
    return text.append("  ").append_text(engine)


def _cropped(row: StatementTotals, room: int) -> Text:
    text = safe(figures.condensed(row))
    text.truncate(max(20, room), overflow="ellipsis")
    return text


def _more(count: int, ms: float) -> Text:
    return Text(f"and {count} more, {ms_text(ms)} ms", style=FAINT)


def _status_style(record: RequestRecord) -> str:
    if record.outcome in (FAILED, KILLED) or record.status >= 500:
        return BAD
    return WARNING if record.status >= 400 else "green"


def _bytes_or_unknown(size: int | None) -> str:
    return "unknown" if size is None else bytes_text(size)


def _ms_or_none(ms: float | None) -> str | None:
    return None if ms is None else f"{ms_text(ms)} ms"
