# SPDX-License-Identifier: Apache-2.0
"""Adds up logs: by blocks where they have one form, or else by entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone, tzinfo
from functools import lru_cache, partial
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from nova_profiler.reading.logs.entry_of_line import entry_of_line, marks_in
from nova_profiler.reading.logs.files.pipes import copied
from nova_profiler.reading.logs.files.sources import Source
from nova_profiler.reading.logs.forms.begin_and_end import is_half
from nova_profiler.reading.logs.line_parts.contexts import id_and_name
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_of_logger,
)
from nova_profiler.reading.logs.line_parts.stamps import epoch_of
from nova_profiler.reading.logs.other_lines import (
    add_others,
    without_blank_lines,
)
from nova_profiler.reading.logs.parts import Lines, read_in_parts
from nova_profiler.reading.logs.requests_once import entries_of_sources
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.copies import Probes, probes_of
from nova_profiler.reading.report.figures import (
    EXACT_MOST,
    Answered,
    Asked,
    Figures,
    hour_of,
)
from nova_profiler.reading.report.quick_lines import (
    QuickRow,
    form_of,
    quick_rows,
    requests_of,
)

# The length of an average line.
_LINE_BYTES = 300
# Larger parts have no larger figures, and fewer to merge.
_PART_BYTES = 32 * 1024 * 1024


# Times in milliseconds of requests with the same hour, logger, user and
# project, method and path, status.
Alike: TypeAlias = "dict[tuple[bytes, ...], list[float]]"


class Report(NamedTuple):
    """The figures of logs, and what is missing in them."""

    figures: Figures
    unread: Unread
    sources: int


def report_of(
    sources: Sequence[Source],
    asked: Asked,
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
    on_restart: Callable[[], None] | None = None,
) -> Report:
    """Return the report on *sources*.

    Lines of one form are about different requests, so that they are added
    up as they are read. At the first line of a second form, half of a
    request, or line that two files have, all logs are read again, as entries
    that can be compared; *on_restart* hears of that.
    """
    with copied(sources, unread, on_bytes) as files:
        known = Unread()
        probes = probes_of(files)
        figures = None
        # Of a part of the time the lines may have one form after all.
        if asked.has_time or not probes.must_be_compared:
            figures = _figures_of_one_form(
                files, asked, known, probes, on_bytes
            )
            if figures is None and on_restart is not None:
                on_restart()
        if figures is not None:
            unread.merge(known)
        else:
            figures = _figures_of_entries(files, asked, unread, on_bytes)
    return Report(figures, unread, len(sources))


def _figures_of_entries(
    sources: Sequence[Source],
    asked: Asked,
    unread: Unread,
    on_bytes: Callable[[int], None] | None,
) -> Figures:
    figures = Figures(asked)
    for entry in entries_of_sources(sources, unread, on_bytes):
        figures.add_entry(entry)
        figures.stay_small()
    return figures


def _figures_of_one_form(
    sources: Sequence[Source],
    asked: Asked,
    unread: Unread,
    probes: Probes,
    on_bytes: Callable[[int], None] | None,
) -> Figures | None:
    """Return the figures, None if the lines have several forms."""
    size = sum(source.size or 0 for source in sources)
    is_exact = size // _LINE_BYTES <= EXACT_MOST
    read = partial(figures_of_lines, asked, is_exact, probes)
    figures = Figures(asked)
    parts = read_in_parts(
        read, sources, unread, on_bytes, part_bytes=_PART_BYTES
    )
    for part in parts:
        figures.merge(part)
        if len(figures.forms) > 1 or not figures.is_whole:
            return None
    return figures


def figures_of_lines(
    asked: Asked,
    is_exact: bool,
    probes: Probes,
    parts: Iterable[Lines],
    unread: Unread,
) -> Figures:
    """Return the figures of one part of a log.

    They are not whole where lines have to be compared with others.
    """
    figures = Figures(asked, is_exact)
    alike: Alike = defaultdict(list)
    for part in parts:
        block = without_blank_lines(part.block)
        rows = quick_rows(block)
        others = [row[-1] for row in rows if row[-1]]
        marks = marks_in(b"\n".join(others))
        if not marks.forms and not part.stated:
            add_others(others, marks.others, unread)
            others = []
        for line in others:
            entry = entry_of_line(
                line, part.years, part.file, unread, marks, part.stated
            )
            if entry is None:
                continue
            if is_half(entry) or probes.has(entry, line, part.file):
                figures.is_whole = False
            figures.add_entry(entry)
        if not all(map(itemgetter(-1), rows)):
            stamps = list(filter(None, map(itemgetter(0), rows)))
            ends = min(stamps), max(stamps)
            if probes.stamps and probes.are_in(block, part.file, *ends):
                figures.is_whole = False
            _add_quick(rows, ends, figures, part.years.local, alike)
        if figures.forms and alike and len(_forms_in(figures, alike)) > 1:
            figures.is_whole = False
        if not figures.is_whole:
            break
    for key, values in alike.items():
        figures.add(_answered(*key), values)
    return figures


def _forms_in(figures: Figures, alike: Alike) -> set[str]:
    """Return the forms of all requests so far."""
    return {*figures.forms, *map(form_of, {key[1] for key in alike})}


def _add_quick(
    rows: list[QuickRow],
    ends: tuple[bytes, bytes],
    figures: Figures,
    local: tzinfo | None,
    alike: Alike,
) -> None:
    """Add the times of *rows* to those of equal requests in *alike*.

    *ends* are their least and their latest stamp.
    """
    asked = figures.asked
    if asked.has_time:
        rows = _in_time(rows, figures, local)
        stamps = list(filter(None, map(itemgetter(0), rows)))
        if not stamps:
            return
        ends = min(stamps), max(stamps)
    requests = requests_of(rows)
    if asked.by == "hour":
        for row, request in zip(rows, requests, strict=True):
            stamp, logger, caller, _, status, seconds, other = row
            if not other:
                hour = _hour_of(stamp[:16], local)
                alike[hour, logger, caller, request, status].append(
                    1000 * float(seconds)
                )
    else:
        # The hot loop: a million turns for a million lines.
        for (_, logger, caller, _, status, seconds, other), request in zip(
            rows, requests, strict=True
        ):
            if not other:
                alike[b"", logger, caller, request, status].append(
                    1000 * float(seconds)
                )
    for stamp in ends:
        at = _at(stamp, local)
        if at is not None:
            figures.saw(at)


def _at(stamp: bytes, local: tzinfo | None) -> float | None:
    date, clock = stamp.decode("ascii").split()
    return epoch_of(date, clock, local=local)


@lru_cache(4096)
def _hour_of(minute: bytes, local: tzinfo | None) -> bytes:
    # Some zones are half an hour off.
    at = _at(minute + b":00", local)
    return b"" if at is None else hour_of(at).encode()


def _in_time(
    rows: list[QuickRow], figures: Figures, local: tzinfo | None
) -> list[QuickRow]:
    """Return the rows within the time asked for; stamps sort as texts."""
    since, until = (
        None if at is None else _shown_at(at, local)
        for at in (figures.asked.since, figures.asked.until)
    )
    kept = [
        row
        for row in rows
        if not row[-1]
        and (since is None or row[0] >= since)
        and (until is None or row[0] < until)
    ]
    figures.out_of_time += sum(1 for row in rows if not row[-1]) - len(kept)
    return kept


def _shown_at(at: float, local: tzinfo | None) -> bytes:
    """Return *at* as a stamp of a log in the zone *local*."""
    moment = datetime.fromtimestamp(at, local or timezone.utc)
    shown = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
    return shown.encode()


def _answered(
    hour: bytes,
    logger: bytes,
    caller: bytes,
    request: bytes,
    status: bytes,
) -> Answered:
    method, _, path = request.decode("utf-8", "replace").partition(" ")
    code = int(status)
    user, _, project = caller.partition(b" ")
    return Answered(
        form_of(logger),
        service_of_logger(logger.decode("utf-8", "replace")) or UNKNOWN,
        _name_of(user),
        _name_of(project),
        method_of(method),
        route_of_path(path, code),
        code,
        hour.decode("ascii"),
    )


def _name_of(text: bytes) -> str:
    user_id, name = id_and_name(text.decode("utf-8", "replace"))
    return name or user_id or "-"
