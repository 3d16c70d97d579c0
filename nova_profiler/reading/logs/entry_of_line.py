# SPDX-License-Identifier: Apache-2.0
"""The entry of one line, in any form.

A new form is one module in ``forms`` and one row of ``FORMS``.
"""

from __future__ import annotations

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.files.blocks import LONG_LINE, LONGEST_LINE
from nova_profiler.reading.logs.forms import (
    Form,
    Unusable,
    apache_access,
    eventlet_default,
    json_lines,
    own_log_lines,
    own_records,
    uwsgi_default,
    wsgi_server,
)
from nova_profiler.reading.logs.line_parts.prefixes import (
    LinePrefix,
    prefix_of,
    without_colours,
)
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.unread import Unread

# Of two lines about one request the form that comes first here is kept: it
# has more values, or more exact ones.
FORMS = (
    Form((own_log_lines.LOG_LINE,), " ms", own_log_lines.entry_of),
    Form(
        (wsgi_server.REQUESTLOG, wsgi_server.WSGI_SERVER),
        '" status: ',
        wsgi_server.entry_of,
        with_headers=(wsgi_server.WSGI_SERVER,),
    ),
    Form(
        (eventlet_default.EVENTLET,),
        " - - [",
        eventlet_default.entry_of,
        with_headers=(eventlet_default.EVENTLET,),
    ),
    Form((uwsgi_default.UWSGI,), uwsgi_default.MARK, uwsgi_default.entry_of),
    Form((apache_access.APACHE,), '] "', apache_access.entry_of),
)

OTHER_LINE = "log line without a request"
UNKNOWN_FORM = "request in a form that is not known"

IN_JSON = ", JSON"

# All names of forms, the preferred first.
PREFERRED = (
    own_records.LOG_FILE,
    *(
        name + within
        for form in FORMS
        for name in form.names
        for within in (IN_JSON, "")
    ),
)
_MARKS = (b'{"', *(form.mark.encode() for form in FORMS))


def may_be_request(line: bytes) -> bool:
    """Tell whether *line* may be of some form, without reading it."""
    # Most lines of a log are of no form: for them this is the whole cost.
    for mark in _MARKS:  # noqa: SIM110  # any() takes half as long again
        if mark in line:
            return True
    return False


def entry_of_line(
    line: bytes, years: Years, file: str, unread: Unread
) -> AccessEntry | None:
    """Return the request of *line*, or note in *unread* why it has none."""
    if not may_be_request(line):
        if line.strip():
            unread.add(OTHER_LINE, line)
        return None
    if len(line) > LONGEST_LINE:
        unread.add(LONG_LINE, line[:100])
        return None
    text = without_colours(line.decode("utf-8", "replace").rstrip())
    try:
        entry = _entry_of_text(text, years, file)
    except Unusable as exc:
        unread.add(str(exc), line)
        return None
    if entry is None:
        is_request = " HTTP/1" in text or '" status: ' in text
        unread.add(UNKNOWN_FORM if is_request else OTHER_LINE, line)
    return entry


def _entry_of_text(text: str, years: Years, file: str) -> AccessEntry | None:
    if text.startswith("{") and text.endswith("}"):
        return _entry_of_json(text, years, file)
    line = prefix_of(text, years, file)
    if text.endswith("}"):
        start = text.find("{")
        if _is_json(text[:start]):
            return _entry_of_json(text[start:], years, file, line.at)
        # syslog puts the process id between brackets in front.
        if line.message.startswith('{"') and not line.has_logger:
            return _entry_of_json(line.message, years, file, line.at)
    return _entry_of_message(line)


def _is_json(before: str) -> bool:
    """Tell whether the text *before* a brace lets it begin an object."""
    return before.endswith((" ", ":", "\t", "\ufeff")) and "[" not in before


def _entry_of_json(
    text: str, years: Years, file: str, at: float | None = None
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
        return None
    line = held.line
    if line.at is None:
        line = line._replace(at=at)
    entry = _entry_of_message(line)
    return entry and entry._replace(form=entry.form + IN_JSON)


def _entry_of_message(line: LinePrefix) -> AccessEntry | None:
    if line.message[:1].isspace():
        line = line._replace(message=line.message.lstrip())
    for form in FORMS:
        if form.mark in line.message:
            entry = form.entry_of(line)
            if entry is not None:
                return entry
    return None
