# SPDX-License-Identifier: Apache-2.0
"""The gaps between the lines of a request, and which service held each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.rows import (
    BEGIN,
    Row,
    first_step_of,
    last_step_of,
)
from nova_profiler.reading.follow.search.messages import (
    ANSWERED,
    CALL,
    RECEIVED,
    REPLY,
    TIMED_OUT,
    UNDELIVERED,
    late_reply_of,
)

ARROW = " -> "
# What a call goes to of which no line has the topic.
RPC_SERVER = "an RPC server"


class Gap(NamedTuple):
    """The time between a row and the next one, and the service that held it.

    Two services in ``holder``, with an arrow, are a hand-over: the first may
    still have worked, the second may have begun, or the request was on its
    way. The lines do not show which.
    """

    ms: float
    holder: str
    is_handover: bool = False
    # Numbers of the rows before and after; some without a time may be between.
    row: int = 0
    following: int = 0


def gaps_of(rows: Sequence[Row]) -> list[Gap]:
    """Return the gap after each row with a time, except the last."""
    timed = [number for number, row in enumerate(rows) if row.has_time]
    first, last = _ends_of(rows, timed)
    services = {row.service for row in rows}
    answering = _answering(rows)
    callers = _callers(rows)
    gaps = []
    for number, after in zip(timed, timed[1:], strict=False):
        row, following = rows[number], rows[after]
        ms = max(0.0, following.at - row.until) * 1000
        is_last = last[row.service] == number
        has_begun = first[following.service] <= number
        is_done = is_last and row.service in answering
        late = _late(following, rows)
        if late is not None:
            holder = late or None
        elif number in callers and following.service == row.service:
            holder = callers[number]
        else:
            holder = _holder(row, following, is_done, has_begun, services)
        if late == "":
            pair = f"{row.service}{ARROW}{RPC_SERVER}"
            gaps.append(Gap(ms, pair, True, number, after))
        elif holder is None:
            pair = f"{row.service}{ARROW}{following.service}"
            gaps.append(Gap(ms, pair, True, number, after))
        else:
            gaps.append(Gap(ms, holder, False, number, after))
    return gaps


def _callers(rows: Sequence[Row]) -> dict[int, str]:
    """Return which service waited on after a row that ended a request.

    By the row's number: the service with the latest request that was open
    then. Without one the next lines are the service's own.
    """
    found = {}
    opened: list[tuple[float, Row]] = []
    for number, row in enumerate(rows):
        if row.kind == BEGIN:
            entry = row.lines[0].entry
            if entry is not None and entry.at is not None:
                opened.append((entry.at, row))
            continue
        entry = row.lines[-1].entry if row.lines else None
        if entry is None or entry.at is None:
            continue
        waiting = [
            begin.service
            for end, begin in opened
            if begin.lines[0] is not row.lines[-1] and end > entry.at
        ]
        if waiting and any(one.lines[0] is row.lines[-1] for _, one in opened):
            found[number] = waiting[-1]
    return found


def _late(following: Row, rows: Sequence[Row]) -> str | None:
    """Return the service whose reply *following* waited for in vain.

    Empty if no line names it, None where nothing was waited for.
    """
    step = following.lines and late_reply_of(following.lines[0].message)
    if following.kind == BEGIN or not step or step.step != TIMED_OUT:
        return None
    for row in rows:
        for line in row.lines if row.kind != BEGIN else ():
            late = late_reply_of(line.message)
            if (
                late is not None
                and late.step == UNDELIVERED
                and late.message_id == step.message_id
            ):
                return row.service
    return ""


def _ends_of(
    rows: Sequence[Row], timed: Sequence[int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return each service's first and last row with a time, by number."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for number in timed:
        first.setdefault(rows[number].service, number)
        last[rows[number].service] = number
    return first, last


def _answering(rows: Sequence[Row]) -> set[str]:
    """Return the services with a line about the end of a request."""
    return {
        row.service
        for row in rows
        for line in row.lines
        if line.entry is not None and line.at is not None
    }


def _holder(
    row: Row,
    following: Row,
    is_done: bool,
    has_begun: bool,
    services: set[str],
) -> str | None:
    """Return the service that held the gap, None if that is uncertain."""
    if row.service == following.service:
        return _called_by(row, following, services) or row.service
    if is_done:
        return following.service if has_begun else None
    sent, heard = last_step_of(row), first_step_of(following)
    if heard is not None and heard.step in (RECEIVED, ANSWERED):
        return None
    if following.kind == BEGIN:
        # Until its begin, which is known, the caller had the request.
        return row.service
    if sent is not None and sent.step == RECEIVED:
        return row.service
    if sent is not None and sent.step == REPLY and has_begun:
        return following.service
    return None


def _called_by(row: Row, following: Row, services: set[str]) -> str | None:
    """Return the service that answered the call between two rows."""
    sent, heard = last_step_of(row), first_step_of(following)
    if sent is None or heard is None or sent.step != CALL:
        return None
    if heard.step != ANSWERED or heard.message_id != sent.message_id:
        return None
    topic = sent.topic.partition(".")[0]
    if not topic:
        return None
    named = sorted(one for one in services if one.endswith(f"-{topic}"))
    return named[0] if named else f"{topic} by RPC"
