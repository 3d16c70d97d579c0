# SPDX-License-Identifier: Apache-2.0
"""What a reader must know to take a profile's figures rightly."""

from __future__ import annotations

import math
from collections.abc import Iterable

from nova_profiler.profiles import IN_LINE, PYSPY
from nova_profiler.profiles.call_graph import CallGraph
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.profiles.summaries import CALLS, SAMPLES, Row
from nova_profiler.reading.screen.terminal import (
    counted,
    ms_text,
    printable,
    share_text,
)

# Fewer samples of a function may be chance.
FEW = 5
# In points: a larger margin of the shares has a note.
_SMALL_MARGIN = 3.0
# Up to this part the sum of work and waiting may differ from the request.
_SEEN_ALIKE = 0.1
_MOST_NAMED = 3
# Less of all time that was shared out has no note.
_LITTLE = 0.01


def has_shares(profile: Profile) -> bool:
    """Return whether there are enough samples for shares of the work."""
    if isinstance(profile, CallGraph):
        return True
    return is_enough(profile.busy_number) and not is_crowded(profile)


def is_crowded(profile: StackTree) -> bool:
    """Return whether threads stood in line for a processor more than they ran.

    A thread that stands there looks like one that runs: where the processor
    was used is not known, then.
    """
    return profile.time_in(IN_LINE) > profile.busy_s


def is_enough(samples: float) -> bool:
    """Return whether *samples* are enough for a figure."""
    # The number is a sum of parts, and so a little off.
    return round(samples, 3) >= FEW


def share_in(profile: Profile, part_s: float) -> float | None:
    """Return the share of the work that *part_s* is, None if unknown."""
    if not has_shares(profile):
        return None
    return part_s / profile.busy_s if profile.busy_s > 0 else 0.0


def seconds(value: float) -> str:
    """Return a time in the unit that fits."""
    return f"{value:.2f} s" if value >= 1 else f"{ms_text(1000 * value)} ms"


def notes_of(
    profile: Profile,
    shown: Iterable[Row] = (),
    duration_ms: float = 0.0,
    lanes: int = 0,
) -> list[str]:
    """Return what a reader must know to take the figures rightly.

    *shown* are the rows above the notes. *duration_ms* and *lanes* are the
    request's, if the profile is of one.
    """
    notes = []
    seen = seen_note(profile, duration_ms, lanes)
    if seen is not None:
        notes.append(seen)
    if isinstance(profile, StackTree) and is_crowded(profile):
        notes.append(
            f"{seconds(profile.time_in(IN_LINE))} in line for a processor, "
            f"and {seconds(profile.busy_s)} at work: shares of the work are "
            "not known"
        )
    elif profile.busy_s > 0 and not has_shares(profile):
        notes.append(
            f"about {max(0.1, profile.busy_number):.1f} samples of work, "
            f"each for {seconds(profile.sample_s)}: too few for shares"
        )
    margin = margin_of(profile)
    if margin is not None:
        number = counted(round(profile.busy_number), "sample")
        notes.append(
            f"{number} of work: a share may be off by {margin:.0f} points"
        )
    shared = shared_note(profile)
    if shared is not None:
        notes.append(shared)
    cut = cut_note(profile)
    if cut is not None:
        notes.append(cut)
    few = few_note(profile, shown)
    if few is not None:
        notes.append(few)
    if profile.kind == CALLS and profile.number:
        notes.append(
            "counting calls makes small functions look slower than they are; "
            "samples do not"
        )
    return notes


def shared_note(profile: Profile) -> str | None:
    """Return how much of the times is a guess by the looks of all requests.

    None where that is little.
    """
    if not isinstance(profile, StackTree):
        return None
    work_s, wait_s, _ = profile.shared
    if work_s + wait_s < _LITTLE * (profile.busy_s + profile.waiting_s):
        return None
    return (
        f"{seconds(work_s)} of the work and {seconds(wait_s)} of the waiting "
        "were between looks, and are shared out by what looks found"
    )


def cut_note(profile: Profile) -> str | None:
    """Return what happened to functions without room, None if all have it."""
    if not profile.cut:
        return None
    if isinstance(profile, StackTree):
        return (
            "more functions than have room here: some stacks end at a "
            "caller, which has their time"
        )
    return "more functions than have room here: the others are left out"


def margin_of(profile: Profile) -> float | None:
    """Return by how many points a share may be off, None if by few.

    With *n* samples a share of a half has a standard error of 50/sqrt(n)
    points, and 95 of 100 such shares are off by less than twice that. Only
    samples of work count, since shares are of work.
    """
    if profile.kind != SAMPLES or not has_shares(profile):
        return None
    margin = 100 / math.sqrt(max(1.0, profile.busy_number))
    return margin if margin > _SMALL_MARGIN else None


def few_note(profile: Profile, shown: Iterable[Row]) -> str | None:
    """Return which own times of *shown* rest on few samples, None if none.

    The samples of each function are counted. A time would be no measure: a
    sample stands for more in one request than in another.
    """
    few = [
        row.function.label
        for row in shown
        if row.self_s > 0
        and row.self_number is not None
        and not is_enough(row.self_number)
    ]
    if not few or not has_shares(profile):
        return None
    names = ", ".join(map(printable, few[:_MOST_NAMED]))
    if few[_MOST_NAMED:]:
        names += f" and {len(few) - _MOST_NAMED} more"
    return f"own times of less than {FEW} samples: {names}"


def seen_note(
    profile: Profile, duration_ms: float, lanes: int = 0
) -> str | None:
    """Return how much was seen of a request, None if about all of it.

    *lanes* is the number of its threads, 0 if that is not known.
    """
    seen_ms = 1000 * (profile.busy_s + profile.waiting_s)
    if duration_ms <= 0 or (
        abs(seen_ms - duration_ms) <= _SEEN_ALIKE * duration_ms
    ):
        return None
    if _is_coarse(profile, seen_ms, duration_ms, lanes):
        why = f"each sample stands for {seconds(profile.sample_s)}"
    elif seen_ms > duration_ms:
        why = "threads and greenthreads added up"
    else:
        why = "the rest was not seen"
    return (
        f"work and waiting are {share_text(seen_ms / duration_ms)} of the "
        f"request's {seconds(duration_ms / 1000)}: {why}"
    )


def _is_coarse(
    profile: Profile, seen_ms: float, duration_ms: float, lanes: int
) -> bool:
    """Return whether times are off because each sample stands for much.

    A few samples are longer than the request, or chance gave it some more
    or less, or its threads did not have that time. pyinstrument measures
    its times, so that this is about pyspy only.
    """
    sample_ms = 1000 * profile.sample_s
    chance_ms = 2 * math.sqrt(profile.number) * sample_ms
    most_ms = lanes * duration_ms * (1 + _SEEN_ALIKE)
    return profile.engine == PYSPY and (
        FEW * sample_ms > duration_ms
        or abs(seen_ms - duration_ms) <= chance_ms
        or 0 < most_ms < seen_ms
    )
