# SPDX-License-Identifier: Apache-2.0
"""The stacks of a request on its page: flame, functions, sentences."""

from __future__ import annotations

from typing import Any

from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code import hot_path
from nova_profiler.reading.code.certainty import notes_of, share_in
from nova_profiler.reading.requests.one_request import figures
from nova_profiler.reading.requests.one_request.flame_boxes import (
    ALL,
    WAITS,
    WORK,
    flame_of,
)
from nova_profiler.reading.requests.one_request.page_parts.drawn_flame import (
    drawn_flame,
)
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.record import RequestRecord

_MOST_FUNCTIONS = 30
_CALLERS = 12
# What the time of a flame is called.
_TIMES = ((ALL, "all time"), (WORK, "work alone"), (WAITS, "waiting alone"))


def flame_part(
    profile: Profile | None, view: View | None
) -> dict[str, Any] | None:
    """Return the flame and how it is looked at; None where there is none."""
    if not isinstance(profile, StackTree):
        return None
    seen = view or View()
    flame = flame_of(
        profile,
        seen.frame,
        seen.find,
        is_folded=seen.is_folded,
        time=seen.time,
    )
    if flame.whole_s <= 0 and not seen.time:
        return None
    return {
        "flame": flame,
        "svg": drawn_flame(flame, view),
        "left_out": flame.left_out,
        "path": flame.path[-_CALLERS:],
        "is_cut": len(flame.path) > _CALLERS,
        "share": flame.found_s / flame.seconds if flame.seconds > 0 else 0.0,
        "of_all": flame.seconds / flame.whole_s if flame.whole_s > 0 else 0.0,
        "is_folded": seen.is_folded,
        "times": [
            (name, words, seen.time == name, _seconds(profile, name))
            for name, words in _TIMES
        ],
    }


def _seconds(profile: StackTree, time: str) -> float:
    work = 0.0 if time == WAITS else profile.busy_s
    return work + (0.0 if time == WORK else profile.waiting_s)


def functions_part(
    record: RequestRecord, profile: Profile | None
) -> dict[str, Any]:
    """Return the functions with the most time of their own, and sentences.

    These are what the stacks are, and what they cannot show. A share is None
    where samples are too few for it.
    """
    if profile is None:
        return {"rows": [], "sentences": []}
    rows = profile.rows()
    lanes = len(figures.lanes_of(record))
    return {
        "rows": [
            {
                "share": share_in(profile, row.self_s),
                "self_ms": 1000 * row.self_s,
                "total_ms": 1000 * row.total_s,
                "label": row.function.label,
                "place": row.function.place,
            }
            for row in rows[:_MOST_FUNCTIONS]
            if row.self_s > 0
        ],
        "sentences": [
            f"{profile.engine}: {hot_path.sentence_of(profile)}",
            *notes_of(profile, rows[:5], record.duration_ms, lanes),
        ],
    }
