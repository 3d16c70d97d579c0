# SPDX-License-Identifier: Apache-2.0
"""The page of one request: its facts, and where its time went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from nova_profiler.groups import COLORS, GROUPS, WRAPPER, Group
from nova_profiler.profiles.loading import Profile
from nova_profiler.reading.advice.adding_up import advice_on
from nova_profiler.reading.advice.page import (
    ADVICE_HEADING,
    MOST_SHOWN,
    advice_parts,
)
from nova_profiler.reading.code.hot_path_page import hot_path_parts
from nova_profiler.reading.record_words import full_title_of, status_of
from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.call_tree import tree_parts
from nova_profiler.reading.requests.one_request.far_records import far_records
from nova_profiler.reading.requests.one_request.lane_picture import (
    lane_picture,
)
from nova_profiler.reading.requests.one_request.statements import (
    more,
    slowest_parts,
)
from nova_profiler.reading.requests.one_request.unfinished import (
    open_parts,
    outcome_of,
)
from nova_profiler.reading.requests.one_request.view import View, view_of
from nova_profiler.reading.screen.sections import print_sections
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    WARNING,
    bar,
    bytes_text,
    has_width,
    ms_text,
    page_width,
    plain_table,
    printable,
    safe,
    share_text,
    time_text,
)
from nova_profiler.record import (
    OK,
    REQUEST,
    RequestRecord,
)

# The page fits one screen; --full has the rest, and --json everything.
# The columns of milliseconds and shares beside a bar, with what is between
# all columns; and the bar that is left on a narrow page.
_FIGURES = 27
_SHORTEST_BAR = 4
_MOST_BUCKETS = 12
_MOST_CALLS = 8


def print_request(
    console: Console,
    record: RequestRecord,
    next_commands: Sequence[str],
    profile: Profile | None = None,
    full: bool = False,
) -> None:
    """Print the page of *record*, with *next_commands* at its end.

    *profile* is made of its stacks, None without any. *full*: with all
    rows, and no text is cut.
    """
    width = page_width(console)
    view = view_of(console, full)
    for part in _header(record, width, has_width(console)):
        console.print(part, width=width)
    sections: tuple[tuple[str, Sequence[RenderableType]], ...] = (
        ("What it was in when last seen", open_parts(record)),
        (ADVICE_HEADING, _advice(record, view)),
        (
            "Where its time went",
            _breakdown(console, record, view, profile),
        ),
        *(
            (group.title, _functions(record, group, view))
            for group in GROUPS
            if group.title
        ),
        ("Which call made which", tree_parts(record, view)),
        ("Slowest statements", slowest_parts(record, view)),
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
        (
            "Ids of requests that other services got",
            far_records(record, view),
        ),
        ("When the calls ran", lane_picture(console, record, width - 2)),
        ("Note", _notes(record)),
    )
    print_sections(console, sections, next_commands, view.width)


def _header(
    record: RequestRecord, width: int, is_filled: bool
) -> Iterator[RenderableType]:
    """Yield the lines on top; in a pipe the first one is not *is_filled*."""
    grid = Table.grid(padding=(0, 3, 0, 0), expand=is_filled)
    grid.add_column(ratio=1 if is_filled else None)
    grid.add_column(justify="right", no_wrap=True)
    status = status_of(record, "no status")
    grid.add_row(
        safe(full_title_of(record), "bold"),
        Text.assemble(
            (status, _status_style(record)),
            "   ",
            (f"{ms_text(record.duration_ms)} ms", "bold"),
        ),
    )
    yield grid
    if record.outcome != OK:
        yield safe(outcome_of(record), BAD)
    if record.kind == REQUEST.name and record.path != record.route:
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
    console: Console,
    record: RequestRecord,
    view: View,
    profile: Profile | None,
) -> list[RenderableType]:
    buckets = figures.buckets_of(record)
    if not buckets:
        return []
    table = plain_table()
    table.show_header = False
    # Labels fold on a narrow page.
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    shown, rest = view.shown(buckets, _MOST_BUCKETS)
    inside = [figures.inside(record, bucket) for bucket in shown]
    # Bars have what the longest label leaves: figures are never cut.
    labels = [len(bucket.label) for bucket in shown]
    labels += [len(part.label) + 2 for parts in inside for part in parts]
    room = max(_SHORTEST_BAR, page_width(console) - max(labels) - _FIGURES)
    longest = max(bucket.share for bucket in buckets)
    for bucket, its_parts in zip(shown, inside, strict=True):
        style = COLORS.get(bucket.name, "green")
        table.add_row(
            safe(bucket.label),
            f"{ms_text(bucket.ms)} ms",
            share_text(bucket.share),
            bar(console, bucket.share / longest, room, style),
        )
        for part in its_parts:
            table.add_row(
                safe(f"  {part.label}", FAINT),
                f"{ms_text(part.ms)} ms",
                share_text(part.share),
            )
    waited = figures.gil_sentence(record, profile)
    # Above the parts: they read otherwise with it.
    parts: list[RenderableType] = [safe(waited, WARNING)] if waited else []
    parts.append(table)
    if rest:
        parts.append(more(len(rest), sum(bucket.ms for bucket in rest)))
    parts.extend(map(Text, figures.group_sentences(record)))
    return parts


def _advice(record: RequestRecord, view: View) -> list[Text]:
    advice = advice_on(record)
    return advice_parts(advice, len(advice) if view.full else MOST_SHOWN)


def _notes(record: RequestRecord) -> list[Text]:
    """Return the notes; a warning looks like one, a count does not."""
    routine = figures.routine_notes(record)
    return [
        safe(note, "" if note in routine else WARNING)
        for note in figures.notes_of(record)
    ]


def _functions(
    record: RequestRecord, group: Group, view: View
) -> list[RenderableType]:
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
    shown, rest = view.shown(calls, _MOST_CALLS)
    for call in shown:
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
    if rest:
        parts.append(more(len(rest), sum(call.ms for call in rest)))
    return parts


def _status_style(record: RequestRecord) -> str:
    if record.is_failed:
        return BAD
    return WARNING if record.status >= 400 else "green"


def _bytes_or_unknown(size: int | None) -> str:
    return "unknown" if size is None else bytes_text(size)


def _ms_or_none(ms: float | None) -> str | None:
    return None if ms is None else f"{ms_text(ms)} ms"
