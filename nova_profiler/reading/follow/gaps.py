# SPDX-License-Identifier: Apache-2.0
"""Who held a request between two of its lines."""

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
)

ARROW = " -> "


class Gap(NamedTuple):
    """The time between a row and the next one, and who held it.

    Two services in ``holder``, with an arrow, are a hand-over: the lines do
    not tell whether the first still worked, the second had begun, or the
    request was on its way.
    """

    ms: float
    holder: str
    is_handover: bool = False
    # Of the rows before and after; between them may be some without a time.
    row: int = 0
    following: int = 0


def gaps_of(rows: Sequence[Row]) -> list[Gap]:
    """Return the gap after each row with a time but the last."""
    timed = [number for number, row in enumerate(rows) if row.has_time]
    first, last = _ends_of(rows, timed)
    services = {row.service for row in rows}
    answering = _answering(rows)
    gaps = []
    for number, after in zip(timed, timed[1:], strict=False):
        row, following = rows[number], rows[after]
        ms = max(0.0, following.at - row.until) * 1000
        is_last = last[row.service] == number
        has_begun = first[following.service] <= number
        is_done = is_last and row.service in answering
        holder = _holder(row, following, is_done, has_begun, services)
        if holder is None:
            pair = f"{row.service}{ARROW}{following.service}"
            gaps.append(Gap(ms, pair, True, number, after))
        else:
            gaps.append(Gap(ms, holder, False, number, after))
    return gaps


def _ends_of(
    rows: Sequence[Row], timed: Sequence[int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return by service where its first row with a time is, and its last."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for number in timed:
        first.setdefault(rows[number].service, number)
        last[rows[number].service] = number
    return first, last


def _answering(rows: Sequence[Row]) -> set[str]:
    """Return the services of which lines say when they had answered."""
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
    """Return the service that held the gap, None where none is certain."""
    if row.service == following.service:
        return _called_by(row, following, services) or row.service
    if is_done:
        return following.service if has_begun else None
    sent, heard = last_step_of(row), first_step_of(following)
    if heard is not None and heard.step in (RECEIVED, ANSWERED):
        return None
    if following.kind == BEGIN:
        # Its begin is known: until then it was the caller's.
        return row.service
    if sent is not None and sent.step == RECEIVED:
        return row.service
    if sent is not None and sent.step == REPLY and has_begun:
        return following.service
    return None


def _called_by(row: Row, following: Row, services: set[str]) -> str | None:
    """Return whom the service waited for from a call to its answer."""
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
