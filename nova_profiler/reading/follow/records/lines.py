# SPDX-License-Identifier: Apache-2.0
"""Records as lines of a story, and the lines of logs beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms.own_log_lines import LOGGER
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.words import named, seconds_text
from nova_profiler.record import MESSAGE, OK, PERIODIC, REQUEST, TASK

# What the lines are from.
FORM = "record"
# How it comes, where that is not by a message.
_ARRIVES = {TASK.name: "is handed to a pool", PERIODIC.name: "is due"}
# The line about a request is written when its record is made.
_SAME_S = 0.005
# A page has no room for more; the picture folds those of one name.
_MOST_RECORDS = 100


def with_records(lines: Sequence[LogLine], picture: Picture) -> list[LogLine]:
    """Return *lines* and those of the records, by one clock.

    A line about what a record is of is left out.
    """
    hosts: dict[str, set[str]] = {}
    for one in picture.served:
        hosts.setdefault(one.service, set()).add(one.clock)
    ends: dict[tuple[str, str | None], list[float]] = {}
    for one, moments in zip(picture.served, picture.moments, strict=True):
        key = one.service, one.request_id
        ends.setdefault(key, []).append(picture.zero + moments.ended)
    kept = []
    for line in lines:
        shifted = _shifted(line, picture, hosts)
        at = shifted.at
        is_same = (
            line.logger == LOGGER
            and at is not None
            and any(
                abs(at - end) <= _SAME_S
                for end in ends.get((line.service, line.request_id), ())
            )
        )
        if not is_same:
            kept.append(shifted)
    return [*kept, *_lines_of(picture)]


def _shifted(
    line: LogLine, picture: Picture, hosts: dict[str, set[str]]
) -> LogLine:
    """Return *line* by the clock of the picture, as far as it is known."""
    clocks = {line.host} if line.host else hosts.get(line.service, set())
    if line.at is None or len(clocks) != 1:
        return line
    ahead = picture.clocks.ahead_s.get(next(iter(clocks)), 0.0)
    if not ahead:
        return line
    entry = line.entry
    if entry is not None and entry.at is not None:
        entry = entry._replace(at=entry.at - ahead)
    return line._replace(at=line.at - ahead, entry=entry)


def _lines_of(picture: Picture) -> Iterator[LogLine]:
    longest = sorted(
        range(len(picture.served)),
        key=lambda place: (
            place != picture.root,
            -picture.served[place].duration_s,
        ),
    )
    for place in longest[:_MOST_RECORDS]:
        one, own = picture.served[place], picture.moments[place]
        # Without a time it stands apart.
        zero = None if one.began is None else picture.zero
        line = LogLine(
            None if zero is None else zero + own.ended,
            one.service or "unknown service",
            f"{named(one)} {_ended(picture, place)}",
            one.host or None,
            pid=one.pid,
            logger=FORM,
            request_id=one.request_id,
            global_request_id=one.global_request_id,
            source=one.source,
        )
        if one.kind == REQUEST.name:
            yield line._replace(entry=_entry(picture, place))
            continue
        yield line
        yield line._replace(
            at=None if zero is None else zero + own.arrived,
            message=f"{named(one)} {_arrived(picture, place)}",
        )


def _ended(picture: Picture, place: int) -> str:
    one = picture.served[place]
    status = f"{one.status} " if one.status else ""
    outcome = "" if one.outcome in (OK, "") else f" {one.outcome}"
    return f"ends: {status}after {seconds_text(one.duration_s)}{outcome}"


def _arrived(picture: Picture, place: int) -> str:
    """Return how a message, a task or a periodic task came."""
    own, link = picture.moments[place], picture.links[place]
    kind = picture.served[place].kind
    is_message = kind == MESSAGE.name
    words = _ARRIVES.get(kind, "arrives")
    if link is not None:
        words += f" from {picture.names[link.parent]}"
        if is_message and own.arrived > own.sent:
            words += f", {seconds_text(own.arrived - own.sent)} on the way"
    if own.began > own.arrived:
        words += f", {seconds_text(own.began - own.arrived)} in line"
    return words


def _entry(picture: Picture, place: int) -> AccessEntry:
    one = picture.served[place]
    return AccessEntry(
        FORM,
        one.service,
        None
        if one.began is None
        else picture.zero + picture.moments[place].ended,
        one.method,
        one.title,
        one.status,
        1000 * one.duration_s,
        request_id=one.request_id,
        global_request_id=one.global_request_id,
        user_name=one.user or None,
    )
