# SPDX-License-Identifier: Apache-2.0
"""Sinks that log each request, and each of its DB API calls, as lines."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova_profiler.capture.sinks import LOG_SINK
from nova_profiler.groups import GROUPS, LOG_LINE_GROUPS, WRAPPER
from nova_profiler.record import DUMPED_ALONE, REQUEST, RequestRecord

REQUESTS = logging.getLogger("nova_profiler.requests")
CALLS = logging.getLogger("nova_profiler.calls")

# Each with whether the line has its share: of what contains other groups.
_SHOWN_GROUPS = [
    (group.name, group.kind == WRAPPER) for group in LOG_LINE_GROUPS
]
_OTHERS = tuple(group.name for group in GROUPS if not group.log_line_place)
# What would stand there as "0.0 ms" is left out.
_LEAST_MS = 0.05


class RequestLogSink:
    """Log one INFO line a record, its args one dict of the record.

    The same dict is its ``extra``: of args, oslo.log's JSON formatter only
    carries what the text uses, and its Fluent formatter nothing.
    """

    name = LOG_SINK

    def __init__(self, is_logged: Callable[[RequestRecord], bool]) -> None:
        self._is_logged = is_logged

    def emit(self, record: RequestRecord) -> None:
        """Log *record*; oslo.log's formatters carry all its fields."""
        # Ask first: the dict costs far more than a disabled log call.
        if REQUESTS.isEnabledFor(logging.INFO) and self._is_logged(record):
            fields = record.to_dict()
            for name in DUMPED_ALONE:
                fields.pop(name, None)
            REQUESTS.info(text_format(record), fields, extra={"extra": fields})


class CallLogSink:
    """Log one INFO line for each DB API call, as far as they are listed."""

    name = LOG_SINK

    def emit(self, record: RequestRecord) -> None:
        """Log the calls of *record*: ``module.function 0.120 sec``."""
        if record.db_api_calls is None:
            return
        for label, seconds in record.db_api_calls:
            CALLS.info("%s %.3f sec", label, seconds)


def text_format(record: RequestRecord) -> str:
    """Return the log line's format, which takes the record's fields."""
    if record.kind == REQUEST.name:
        parts = ["%(method)s %(path)s %(status)s %(duration_ms).1f ms"]
    else:
        # No status, and no path but its route.
        parts = ["%(method)s %(route)s %(outcome)s %(duration_ms).1f ms"]
        if record.wait_ms is not None:
            parts.append("waited %(wait_ms).1f ms")
    for group, has_share in _SHOWN_GROUPS:
        totals = record.groups.get(group)
        if totals is None:
            continue
        text = f"{group} {totals.calls} calls {totals.ms:.1f} ms"
        if has_share and record.duration_ms > 0:
            share = 100 * totals.wall_ms / record.duration_ms
            text += f" {share:.1f} %%"
        parts.append(text)
    for group in _OTHERS:
        totals = record.groups.get(group)
        if totals is not None and totals.ms >= _LEAST_MS:
            parts.append(f"{group} {totals.calls} calls {totals.ms:.1f} ms")
    parts.append(
        f"user={_first(record, 'user_name', 'user_id')} "
        f"project={_first(record, 'project_name', 'project_id')}"
    )
    return ", ".join(parts)


def _first(record: RequestRecord, *names: str) -> str:
    """Return the format of the first of these fields that is known."""
    for name in names:
        if getattr(record, name):
            return f"%({name})s"
    return "-"
