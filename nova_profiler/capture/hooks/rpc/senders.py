# SPDX-License-Identifier: Apache-2.0
"""What travels with a message: the record it was sent from, and when.

The context of a message is a plain dict, and nova ignores keys of it that it
does not know. What arrives may be forged: it is checked.
"""

from __future__ import annotations

import sys
from time import time
from typing import Any, NamedTuple

from nova_profiler.capture.captures import Capture
from nova_profiler.record.record_ids import RECORD_ID
from nova_profiler.record.trace_parents import is_trace_id

KEY = "nova_profiler"
_ID, _SENT, KEPT, _TRACE = "id", "sent", "kept", "trace"

# Services that make their context of any dict; others raise for a key that
# they do not know.
_TOLERANT = ("nova.context",)
# A message may lie in a queue while its service is down; clocks differ.
_LONGEST_S = 7 * 86400.0
_AHEAD_S = 3600.0


class Sender(NamedTuple):
    """What came with a message, as far as it can be believed."""

    record_id: str | None = None
    # Seconds since 1970 by the sender's clock.
    sent: float | None = None
    # Whether the sender's record is kept.
    is_kept: bool = False
    # The trace that its request came with.
    trace_id: str | None = None


UNKNOWN = Sender()


def with_sender(ctxt: Any, capture: Capture) -> Any:
    """Return *ctxt* with what names the sender; a copy, or itself.

    It is the caller's dict, which may be sent again.
    """
    if type(ctxt) is not dict or not any(
        module in sys.modules for module in _TOLERANT
    ):
        return ctxt
    mark: dict[str, Any] = {_ID: capture.record_id, _SENT: time()}
    if capture.will_be_kept():
        mark[KEPT] = True
    trace_id = capture.served.trace_id
    if trace_id is not None:
        mark[_TRACE] = trace_id
    return {**ctxt, KEY: mark}


def sender_of(ctxt: Any, now: float) -> Sender:
    """Return what came in *ctxt*; *now* is in seconds since 1970."""
    mark = ctxt.get(KEY) if isinstance(ctxt, dict) else None
    if type(mark) is not dict:
        return UNKNOWN
    record_id = mark.get(_ID)
    if not isinstance(record_id, str) or not RECORD_ID.fullmatch(record_id):
        return UNKNOWN
    sent = mark.get(_SENT)
    # Not a number, NaN, a number that no clock shows.
    if type(sent) is not float or not (
        now - _LONGEST_S < sent < now + _AHEAD_S
    ):
        sent = None
    trace_id = mark.get(_TRACE)
    if trace_id is not None and not is_trace_id(trace_id):
        trace_id = None
    return Sender(record_id, sent, mark.get(KEPT) is True, trace_id)
