# SPDX-License-Identifier: Apache-2.0
"""What made the calls of a finding, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nova_profiler.groups import BY_NAME
from nova_profiler.reading.record_calls import CallsAround
from nova_profiler.record import TimelineEntry

_MOST = 2


def caller_words(entries: Sequence[TimelineEntry], around: CallsAround) -> str:
    """Return ``, by`` and what made *entries*; empty where it is not known.

    The calls around them, most frequent first, and the line of the
    application that made the longest.
    """
    callers = Counter(
        name for entry in entries if (name := _caller_of(entry, around))
    )
    names = [name for name, _ in callers.most_common(_MOST)]
    if len(callers) > _MOST:
        names.append(f"{len(callers) - _MOST} more")
    words = f", by {', '.join(names)}" if names else ""
    longest = max(entries, key=_ms, default=None)
    if longest is not None and longest.made_by is not None:
        words += f", from {longest.made_by}"
    return words


def _caller_of(entry: TimelineEntry, around: CallsAround) -> str:
    """Return the innermost call around *entry* that has a name of its own."""
    for call in around.of(entry):
        group = BY_NAME.get(call.group)
        if call.name and group is not None and group.title:
            return call.name
    return ""


def _ms(entry: TimelineEntry) -> float:
    return entry.ms
