# SPDX-License-Identifier: Apache-2.0
"""The entry of one line, in any form."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova_profiler.reading.logs.collectors import json_lines
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.files.blocks import LONG_LINE, LONGEST_LINE
from nova_profiler.reading.logs.files.json_records import shown_of
from nova_profiler.reading.logs.form_table import FORMS, IN_JSON, MARKS
from nova_profiler.reading.logs.forms import (
    Unusable,
    begin_and_end,
    own_log_lines,
    own_records,
    stated_formats,
    worker_losses,
)
from nova_profiler.reading.logs.forms.stated_formats import Stated
from nova_profiler.reading.logs.line_parts.colours import without_colours
from nova_profiler.reading.logs.line_parts.contexts import context_within
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
)
from nova_profiler.reading.logs.line_parts.stamps import Years, moment_of
from nova_profiler.reading.logs.other_lines import (
    NAMES,
    Names,
    Searched,
    name_of,
    rare_in,
)
from nova_profiler.reading.logs.unread import IN_PART, Unread

UNKNOWN_FORM = "request in a form that is not known"
UNSTATED_FORM = f"{UNKNOWN_FORM}; state it: --form 'NAME=FORMAT'"

# Its line has an id, which was not understood.
NO_IDS = f"{IN_PART} its user and id: what begins its line is not known"
NO_TIME_OF_DAY = f"{IN_PART} its time of day: its line has none"

# An id where a context begins, rather than one that a path or a client has.
_HAS_ID = re.compile(r"[\[ ](?:None )?req-[0-9a-f]{8}-[0-9a-f-]{27}[ \]]")
_REQUEST = re.compile(r'"[A-Z]{3,10} [^"]* HTTP/\d(?:\.\d)?"')


class Marks(NamedTuple):
    """What lines are recognised by: of forms, and of other lines."""

    forms: tuple[bytes, ...]
    others: Names


_JSON = b'{"'
_JSON_LINE = b"\n" + _JSON
_ALL = Marks(MARKS, NAMES)
_RARE = [(mark, rare_in(mark)) for mark in MARKS]
_RARE_NAMES = [(name, rare_in(name[0])) for name in NAMES]


def marks_in(block: bytes) -> Marks:
    """Return the marks that *block* has: its lines need no others."""
    if block.startswith(_JSON) and block.count(_JSON_LINE) >= (
        block.count(b"\n") - 1
    ):
        # The first mark is that of all lines.
        return _ALL
    searched = Searched(block)
    return Marks(
        tuple(mark for mark, rare in _RARE if searched.has(mark, rare)),
        tuple(
            name for name, rare in _RARE_NAMES if searched.has(name[0], rare)
        ),
    )


def may_be_request(line: bytes, marks: tuple[bytes, ...] = MARKS) -> bool:
    """Return whether *line* may be of some form, without reading it.

    *marks* are those that the line's block has.
    """
    # Most lines of a log are of no form: for them this is the whole cost.
    for mark in marks:  # noqa: SIM110  # any() takes half as long again
        if mark in line:
            return True
    return False


def entry_of_line(
    line: bytes,
    years: Years,
    file: str,
    unread: Unread,
    marks: Marks = _ALL,
    stated: Stated = (),
) -> AccessEntry | None:
    """Return the request of *line*, or note in *unread* why it has none.

    Of some services a line is the begin or the end of a request, an entry
    with a form of ``begin_and_end.HALVES``. *stated* are formats that the
    user stated; they go before all others.
    """
    if not stated and not may_be_request(line, marks.forms):
        if line.strip():
            unread.add(name_of(line, marks.others), line)
        return None
    if not line or line.isspace():
        return None
    if len(line) > LONGEST_LINE:
        unread.add(LONG_LINE, line[:100])
        return None
    text = without_colours(line.decode("utf-8", "replace").rstrip())
    try:
        entry = _entry_of_text(text, years, file, stated)
    except Unusable as exc:
        unread.add(str(exc), shown_of(line))
        return None
    if entry is None:
        unread.add(_kind_of(text, line), line)
        return None
    if entry.request_id is None and "req-" in text and _HAS_ID.search(text):
        context = context_within(text)
        if context is None:
            unread.add(NO_IDS, line)
        else:
            entry = entry._replace(**context._asdict())
    elif entry.at is None and entry.form not in begin_and_end.HALVES:
        unread.add(NO_TIME_OF_DAY, line)
    return entry


def _kind_of(text: str, line: bytes) -> str:
    """Return why *line*, which is *text*, has no entry."""
    loss = worker_losses.loss_of(text)
    if loss is not None:
        return loss
    if '" status: ' in text:
        return UNKNOWN_FORM
    if _REQUEST.search(text):
        return UNSTATED_FORM
    return name_of(line)


def _entry_of_stated(
    line: LinePrefix, text: str, stated: Stated
) -> AccessEntry | None:
    """Return the request of *line* in a format that was stated.

    What was taken for its prefix may belong to the format, too.
    """
    for one in stated:
        for message in (line.message, text):
            entry = stated_formats.entry_of(
                line._replace(message=message), one
            )
            if entry is not None:
                return entry
    return None


def _entry_of_text(
    text: str, years: Years, file: str, stated: Stated
) -> AccessEntry | None:
    if stated and (
        entry := _entry_of_stated(prefix_of(text, years, file), text, stated)
    ):
        return entry
    if text.startswith("{") and text.endswith("}"):
        return _entry_of_json(text, years, file, stated)
    line = prefix_of(text, years, file)
    if text.endswith("}"):
        start = text.find("{")
        if _is_json(text[:start]):
            at = line.at
            if at is None:
                # fluentd has time, tag and record with tabs between.
                at = moment_of(text[:start].partition("\t")[0], years.local)
            return _entry_of_json(text[start:], years, file, stated, at)
        # syslog puts the process id between brackets in front.
        if line.message.startswith('{"') and not line.has_logger:
            return _entry_of_json(line.message, years, file, stated, line.at)
    return _entry_of_message(line)


def _is_json(before: str) -> bool:
    """Return whether the text *before* a brace lets it begin an object."""
    return before.endswith((" ", ":", "\t", "\ufeff")) and "[" not in before


def _entry_of_json(
    text: str,
    years: Years,
    file: str,
    stated: Stated,
    at: float | None = None,
) -> AccessEntry | None:
    """Return the request of a JSON object, at its own time or *at*."""
    held = json_lines.unwrapped(text, years, file)
    if held is None:
        return None
    if held.record is not None:
        if held.is_log_file:
            return own_records.entry_of(held.record)
        form = own_log_lines.LOG_LINE + IN_JSON
        return own_records.entry_of(held.record, form)
    if held.line is None:
        return held.entry
    line = held.line
    if line.at is None:
        line = line._replace(at=at)
    if stated and (entry := _entry_of_stated(line, held.text, stated)):
        return entry._replace(form=entry.form + IN_JSON)
    try:
        entry = _entry_of_message(line)
    except Unusable:
        if held.entry is None:
            raise
        entry = None
    if entry is None or entry.form in begin_and_end.HALVES:
        return entry or held.entry
    return entry._replace(form=entry.form + IN_JSON)


def _entry_of_message(line: LinePrefix) -> AccessEntry | None:
    if line.message[:1].isspace():
        line = line._replace(message=line.message.lstrip())
    for form in FORMS:
        if form.mark in line.message:
            entry = form.entry_of(line)
            if entry is not None:
                return entry
    return begin_and_end.half_of(line) if line.has_logger else None
