# SPDX-License-Identifier: Apache-2.0
"""What a profile says in a few lines, as plain figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.summaries import (
    CALLS,
    SAMPLES,
    Profile,
    Row,
    Step,
    Wait,
)
from nova_profiler.reports.terminal import counted, share_text

# Functions whose shares differ by less are one line: the innermost.
_SAME = 0.02
_MOST_STEPS = 6

# In per cent: beyond this it is said how far off a share may be.
_SMALL_MARGIN = 3.0
# A function seen at work less often may as well have been missed.
_FEW = 5
# Work and waiting may differ from the request by so much and say nothing.
_SEEN_ALIKE = 0.1


def told_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps of a hot path that say something.

    That are nova's own functions where the share drops, down to its last
    one, and the last of all, which may be a library's. Decorators are passed
    over.
    """
    own = [step for step in steps if step.function.is_telling]
    told = [
        step
        for step, inner in zip_longest(own, own[1:])
        if inner is None or step.share - inner.share >= _SAME
    ]
    if steps and steps[-1] not in told:
        told.append(steps[-1])
    return told[-_MOST_STEPS:]


def hot_function(steps: Sequence[Step]) -> Step | None:
    """Return nova's function that the hot path leads to, or else the last."""
    own = [step for step in steps if step.function.is_telling]
    return own[-1] if own else (steps[-1] if steps else None)


def margin_of(profile: Profile) -> float | None:
    """Return by how many points a share may be off, None if by few.

    Of *n* samples a share of a half has a standard error of 50/sqrt(n)
    points; twice that holds 95 times in 100. Shares are of work, and so are
    the samples that count here.
    """
    if profile.kind != SAMPLES or profile.busy_number <= 0:
        return None
    margin = 100 / math.sqrt(max(1.0, profile.busy_number))
    return margin if margin > _SMALL_MARGIN else None


def few_s(profile: Profile, shown: Iterable[Row]) -> float | None:
    """Return below which own time a row of *shown* rests on few samples.

    None if none does.
    """
    if profile.kind != SAMPLES or profile.busy_number <= 0:
        return None
    least_s = _FEW * profile.busy_s / profile.busy_number
    few = any(0 < row.self_s < least_s for row in shown)
    return least_s if few else None


def seen_note(profile: Profile, duration_ms: float) -> str | None:
    """Return how much was seen of a request, None if about all of it."""
    seen_ms = 1000 * (profile.busy_s + profile.waiting_s)
    if duration_ms <= 0 or (
        abs(seen_ms - duration_ms) <= _SEEN_ALIKE * duration_ms
    ):
        return None
    why = (
        "threads and greenthreads added up"
        if seen_ms > duration_ms
        else "the rest was not seen"
    )
    return (
        f"work and waiting are {share_text(seen_ms / duration_ms)} of the "
        f"request's {seconds(duration_ms / 1000)}: {why}"
    )


def sentence_of(profile: Profile) -> str:
    """Return how much the profile rests on, and how it divides."""
    noun = "sample" if profile.kind == SAMPLES else "call"
    text = (
        f"{counted(profile.number, noun)}: {seconds(profile.busy_s)} at work"
    )
    if profile.waiting_s > 0:
        text += f", {seconds(profile.waiting_s)} waiting"
    if profile.elsewhere_s > 0:
        text += f"; {seconds(profile.elsewhere_s)} not this request's"
    return text


def notes_of(
    profile: Profile,
    shown: Iterable[Row] = (),
    duration_ms: float = 0.0,
) -> list[str]:
    """Return what a reader must know to take the figures rightly.

    *shown* are the rows that stand above, *duration_ms* is the request's if
    the profile is of one.
    """
    notes = []
    seen = seen_note(profile, duration_ms)
    if seen is not None:
        notes.append(seen)
    margin = margin_of(profile)
    if margin is not None:
        number = counted(round(profile.busy_number), "sample")
        notes.append(
            f"{number} of work: a share may be off by {margin:.0f} points"
        )
    least_s = few_s(profile, shown)
    if least_s is not None:
        notes.append(
            f"own times below {seconds(least_s)} rest on less than {_FEW} "
            f"samples"
        )
    if profile.kind == CALLS and profile.number:
        notes.append(
            "counting calls makes small functions look slower than they are; "
            "samples do not"
        )
    return notes


def figures_of(
    profile: Profile, most: int = 20, duration_ms: float = 0.0
) -> dict[str, Any]:
    """Return the profile's summary as JSON-ready values."""
    rows = profile.rows()[:most]
    return {
        **totals_of(profile),
        "hot_path": [
            {
                **function_figures(step.function),
                "busiest_line": step.line,
                "seconds": round(step.total_s, 6),
                "share": round(step.share, 4),
            }
            for step in profile.hot_path()
        ],
        "functions": [row_figures(row, profile) for row in rows],
        "waits": [wait_figures(wait) for wait in profile.waits()[:most]],
        "notes": notes_of(profile, rows, duration_ms),
    }


def totals_of(profile: Profile) -> dict[str, Any]:
    """Return what all of it adds up to."""
    return {
        "engine": profile.engine,
        "kind": profile.kind,
        "profiles": profile.profiles,
        profile.kind: profile.number,
        "busy_s": round(profile.busy_s, 6),
        "waiting_s": round(profile.waiting_s, 6),
        "elsewhere_s": round(profile.elsewhere_s, 6),
    }


def row_figures(row: Row, profile: Profile) -> dict[str, Any]:
    """Return a function's line; calls and samples under their own name."""
    fields = function_figures(row.function)
    fields[profile.kind] = row.number
    if profile.kind == CALLS:
        fields["primitive_calls"] = row.primitive
    fields["self_s"] = round(row.self_s, 6)
    fields["cumulative_s"] = round(row.total_s, 6)
    fields["share"] = round(share_of(row.self_s, profile.busy_s), 4)
    return fields


def wait_figures(wait: Wait) -> dict[str, Any]:
    """Return what was waited in, and for whom."""
    return {
        **function_figures(wait.function),
        "number": wait.number,
        "seconds": round(wait.seconds, 6),
        "for": None if wait.caller is None else function_figures(wait.caller),
    }


def function_figures(function: Function) -> dict[str, Any]:
    """Return which function it is."""
    return {
        "function": function.label,
        "file": function.file,
        "line": function.line,
    }


def share_of(part: float, whole: float) -> float:
    """Return a share, 0 of nothing."""
    return part / whole if whole > 0 else 0.0


def seconds(value: float) -> str:
    """Return a time in the unit that fits."""
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"
