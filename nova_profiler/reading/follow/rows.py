# SPDX-License-Identifier: Apache-2.0
"""The lines of a request in the order of time; similar ones are one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    ANSWERED,
    CALL,
    CAST,
    RECEIVED,
    REPLY,
    RpcStep,
    db_call_of,
    rpc_step_of,
)
from nova_profiler.reading.logs.entries import AccessEntry

BEGIN = "begin"
LINE = "line"
DB = "db"
RPC = "rpc"


class Row(NamedTuple):
    """One row of the page: a line, or several lines of one kind.

    A row of kind ``begin`` has no line of its own: the line that ends the
    request has its duration, from which the begin follows. Of a row without
    a time, ``at`` is only its place.
    """

    at: float
    until: float
    service: str
    kind: str
    text: str
    lines: tuple[LogLine, ...] = ()
    # How many calls the lines are about, and their time together.
    calls: int = 0
    ms: float | None = None

    @property
    def level(self) -> str:
        """Return the level of the line, empty if the row has several."""
        return self.lines[0].level if len(self.lines) == 1 else ""

    @property
    def has_time(self) -> bool:
        """Return whether all of its lines have a time."""
        return all(line.at is not None for line in self.lines)

    @property
    def request_id(self) -> str | None:
        """Return the id of the row's request."""
        return self.lines[0].request_id if self.lines else None


class RpcMessages:
    """The lines of each RPC message: sent, received, reply, answer."""

    def __init__(self, lines: Iterable[LogLine]) -> None:
        self.steps: dict[str, dict[str, LogLine]] = {}
        self._topics: dict[str, str] = {}
        for line in lines:
            step = rpc_step_of(line.message)
            if step is None or not step.message_id:
                continue
            steps = self.steps.setdefault(step.message_id, {})
            steps.setdefault(step.step, line)
            if step.topic:
                self._topics[step.message_id] = step.topic

    def took_ms(self, message_id: str) -> float | None:
        """Return the milliseconds that the caller waited for the answer."""
        steps = self.steps.get(message_id, {})
        sent, answered = steps.get(CALL), steps.get(ANSWERED)
        if sent is None or answered is None:
            return None
        return (_at(answered) - _at(sent)) * 1000

    def topic(self, message_id: str) -> str:
        """Return where the message went, empty if no line has it."""
        return self._topics.get(message_id, "")


def rows_of(
    lines: Sequence[tuple[float, LogLine]], fold_gap_s: float
) -> list[Row]:
    """Return the rows of *lines*, which have their places, in order.

    DB API or RPC lines of one service in a row become one row, except where
    *fold_gap_s* passed between two of them.
    """
    timed = [line for _, line in lines if line.at is not None]
    messages = RpcMessages(timed)
    rows = [*_begins(timed), *(row_of(line, place) for place, line in lines)]
    # Rows of one moment stay in the order of their files.
    rows.sort(key=lambda row: (row.at, row.kind != BEGIN))
    groups: list[list[Row]] = []
    for row in rows:
        last = groups[-1][-1] if groups else None
        if last is not None and _fold(last, row, fold_gap_s):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_folded(group, messages) for group in groups]


def _fold(row: Row, following: Row, fold_gap_s: float) -> bool:
    return (
        following.kind == row.kind
        and row.kind in (DB, RPC)
        and following.service == row.service
        and row.has_time
        and following.has_time
        and following.at - row.until < fold_gap_s
    )


def _folded(group: list[Row], messages: RpcMessages) -> Row:
    lines = tuple(line for row in group for line in row.lines)
    row = group[0]._replace(until=group[-1].until, lines=lines)
    return _summed(row, messages)


def last_step_of(row: Row) -> RpcStep | None:
    """Return the RPC step that *row* ends with, if it is one."""
    return rpc_step_of(row.lines[-1].message) if row.kind == RPC else None


def first_step_of(row: Row) -> RpcStep | None:
    """Return the RPC step that *row* begins with, if it is one."""
    return rpc_step_of(row.lines[0].message) if row.kind == RPC else None


def _at(line: LogLine) -> float:
    return line.at or 0.0


def row_of(line: LogLine, place: float) -> Row:
    """Return *line* as a row of its own."""
    kind = LINE
    if db_call_of(line.message) is not None:
        kind = DB
    elif rpc_step_of(line.message) is not None:
        kind = RPC
    return Row(place, place, line.service, kind, line.message, (line,))


def _begins(lines: Sequence[LogLine]) -> list[Row]:
    """Return a row for the begin of each request whose end has a line.

    A service may answer several requests under one id, one after the other.
    A begin within the lines of an earlier one is not known exactly enough.
    """
    by_request: dict[tuple[str, str | None], list[LogLine]] = {}
    for line in lines:
        by_request.setdefault((line.service, line.request_id), []).append(line)
    rows = []
    for own in by_request.values():
        own.sort(key=_at)
        # Since the last end nothing of the next request was logged.
        before: list[LogLine] = []
        ended = 0.0
        for line in own:
            before.append(line)
            if line.entry is None or line.entry.at is None:
                continue
            began = line.entry.at - line.entry.ms / 1000
            if max(ended, 0.0) < began < _at(before[0]):
                rows.append(_begin(line, line.entry, began))
            elif 0 < began < _at(own[0]) and rows and rows[-1].at > began:
                rows[-1] = _begin(line, line.entry, began)
            ended, before = max(ended, line.entry.at), []
    return rows


def _begin(line: LogLine, entry: AccessEntry, began: float) -> Row:
    text = f"{entry.method} {entry.route} begins"
    return Row(began, began, line.service, BEGIN, text, (line,))


def _summed(row: Row, messages: RpcMessages) -> Row:
    if row.kind == DB:
        return _summed_db(row)
    if row.kind == RPC:
        return _summed_rpc(row, messages)
    return row


def _summed_db(row: Row) -> Row:
    calls = [call for one in row.lines if (call := db_call_of(one.message))]
    total_ms = sum(call.ms for call in calls)
    if len(calls) == 1:
        return row._replace(calls=1, ms=total_ms)
    by_name: Counter[str] = Counter()
    for call in calls:
        by_name[call.name.rpartition(".")[2]] += 1
    names = ", ".join(_times(*one) for one in by_name.most_common(3))
    if len(by_name) > 3:
        names += f" and {len(by_name) - 3} more"
    text = f"DB API, {len(calls)} calls, {total_ms:.1f} ms: {names}"
    return row._replace(calls=len(calls), ms=total_ms, text=text)


def _summed_rpc(row: Row, messages: RpcMessages) -> Row:
    steps = [step for one in row.lines if (step := rpc_step_of(one.message))]
    ended = [step for step in steps if step.step == ANSWERED]
    took = [
        ms
        for step in ended
        if (ms := messages.took_ms(step.message_id)) is not None
    ]
    ms = sum(took) if took else None
    if len(steps) == 1:
        return row._replace(calls=len(ended), ms=ms)
    counts = Counter(step.step for step in steps)
    words = [
        _plural(counts[step], word)
        for step, word in _STEP_WORDS
        if counts[step]
    ]
    topics = {
        topic
        for step in steps
        if (topic := step.topic or messages.topic(step.message_id))
    }
    text = f"RPC, {', '.join(words)}"
    if ms is not None:
        text += f", answers took {ms:.1f} ms"
    if topics:
        text += f": {', '.join(sorted(topics))}"
    return row._replace(calls=len(ended), ms=ms, text=text)


_STEP_WORDS = (
    (CALL, "call"),
    (CAST, "cast"),
    (RECEIVED, "received"),
    (REPLY, "reply"),
    (ANSWERED, "answer"),
)


def _plural(count: int, word: str) -> str:
    if word == "received":
        return f"{count} received"
    plural = {"reply": "replies"}.get(word, f"{word}s")
    return f"{count} {word if count == 1 else plural}"


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{count} x {name}"
