# SPDX-License-Identifier: Apache-2.0
"""Stacks that follow their dump, and those that never will.

Those of ``stacks`` come when its reader has answered. A worker that is killed
before takes them along, and its dump must not promise them for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from nova_profiler.dump_store.processes import ENDED, process_of, state_of
from nova_profiler.record import RequestRecord

# What dumps of the former engine pyspy have for as long as its stacks are to
# come, and where they never came.
FOLLOWS = "the stacks follow when py-spy's recording is over"
LOST = "its stacks were lost: its worker ended before py-spy's recording did"
# The same of the engine stacks, whose reader answers at once.
ASKED_FOR = "the stacks follow when the reader has answered"
UNANSWERED = "its stacks were lost: its worker ended before they were there"
NEVER_CAME = "its stacks never came; was its worker killed?"
# In a dump's profile: the process that is to write the stacks.
PENDING = "pending"

# What becomes of each promise where the worker ended.
_PROMISES = {FOLLOWS: LOST, ASKED_FOR: UNANSWERED}

# A reader answers within seconds; a machine may be suspended meanwhile.
_LONGEST = timedelta(minutes=10)


def why_lost(record: RequestRecord) -> str | None:
    """Return why the stacks that *record* promises will not come.

    None if they may, and where it promises none.
    """
    profile = record.profile or {}
    notes = profile.get("notes")
    promise = promise_in(notes)
    if promise is None:
        return None
    process = process_of(str(profile.get(PENDING, "")))
    if process is not None and state_of(process) == ENDED:
        return _PROMISES[promise]
    return NEVER_CAME if _is_old(record) else None


def give_up(record: RequestRecord, why: str) -> None:
    """Put *why* in the place of the promise that *record* has."""
    profile = {**(record.profile or {})}
    profile["notes"] = [
        why if note in _PROMISES else note for note in profile["notes"]
    ]
    profile.pop(PENDING, None)
    record.profile = profile


def promise_in(notes: object) -> str | None:
    """Return the promise of stacks that *notes* have, None without one."""
    if not isinstance(notes, list):
        return None
    return next((one for one in _PROMISES if one in notes), None)


def _is_old(record: RequestRecord) -> bool:
    try:
        started = datetime.fromisoformat(record.started_at)
        if started.tzinfo is None:
            started = started.replace(tzinfo=timezone.utc)
        ended = started + timedelta(milliseconds=record.duration_ms)
        return datetime.now(timezone.utc) - ended > _LONGEST
    except (ValueError, OverflowError):
        # Not a time: it was not written by us, and nothing follows it.
        return True
