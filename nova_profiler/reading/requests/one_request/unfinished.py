# SPDX-License-Identifier: Apache-2.0
"""The part of a request's page that says how it ended without an answer."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from nova_profiler.reading.record_words import short_frame
from nova_profiler.reading.screen.terminal import FAINT, ms_text, safe
from nova_profiler.record import KILLED, UNANSWERED, RequestRecord

_MOST_FRAMES = 12


def outcome_of(record: RequestRecord) -> str:
    """Return in words how a request ended that did not end well."""
    if record.outcome == KILLED:
        last = f"{record.duration_ms / 1000:.1f} s after it began"
        return f"killed: its worker ended before it did; last seen {last}"
    if record.outcome == UNANSWERED:
        return "unanswered: the application never called start_response()"
    return f"{record.outcome}: {record.error or 'no exception reached us'}"


def open_parts(record: RequestRecord) -> list[RenderableType]:
    """Return the calls and stacks that it was in when it was last seen."""
    parts: list[RenderableType] = [
        safe(f"{call.group} {call.name}, for {ms_text(call.ms)} ms")
        for call in record.open_calls or ()
    ]
    for stack in record.open_stacks or ():
        if len(record.open_stacks or ()) > 1:
            parts.append(safe(stack.thread, FAINT))
        shown = stack.frames[-_MOST_FRAMES:]
        if shown != stack.frames:
            hidden = len(stack.frames) - len(shown)
            parts.append(Text(f"{hidden} frames, then", style=FAINT))
        parts.extend(safe(short_frame(frame)) for frame in shown)
    return parts
