# SPDX-License-Identifier: Apache-2.0
"""The summary of a profile, as plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from nova_profiler.profiles import (
    IN_LINE,
    STACKS,
    WAITED_UNSEEN,
    WAITING_FOR_GIL,
)
from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import Profile
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.profiles.summaries import CALLS, SAMPLES, Row, Step, Wait
from nova_profiler.reading.code.certainty import (
    has_shares,
    is_enough,
    notes_of,
    seconds,
    share_in,
)
from nova_profiler.reading.screen.terminal import counted, share_text

# Of functions whose shares differ by less, the innermost stands for all.
_SAME = 0.02
_MOST_STEPS = 6
WORK = "at work"


def main_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps of a hot path that matter.

    These are nova's own functions at which the share drops, down to nova's
    last one, and the last of all, which may be a library's. Decorators are
    left out.
    """
    own = [step for step in steps if step.function.is_telling]
    main = [
        step
        for step, inner in zip_longest(own, own[1:])
        if inner is None or step.share - inner.share >= _SAME
    ]
    if steps and steps[-1] not in main:
        main.append(steps[-1])
    return main[-_MOST_STEPS:]


def steps_of(profile: Profile) -> list[Step]:
    """Return the hot path, empty where samples are too few for shares."""
    return profile.hot_path() if has_shares(profile) else []


def hot_function(steps: Sequence[Step]) -> Step | None:
    """Return nova's last function on the hot path, or else the last one."""
    own = [step for step in steps if step.function.is_telling]
    return own[-1] if own else (steps[-1] if steps else None)


def sentence_of(profile: Profile, duration_ms: float = 0.0) -> str:
    """Return the sum of samples or calls, of work and of waiting.

    *duration_ms* is the request's, if the profile is of one.
    """
    if isinstance(profile, StackTree) and profile.engine == STACKS:
        return _sentence_of_looks(profile, duration_ms)
    noun = "sample" if profile.kind == SAMPLES else "call"
    text = (
        f"{counted(profile.number, noun)}: {seconds(profile.busy_s)} at work"
    )
    if profile.waiting_s > 0:
        text += f", {seconds(profile.waiting_s)} waiting"
    if profile.elsewhere_s > 0:
        text += f"; {seconds(profile.elsewhere_s)} not this request's"
    return text


def _sentence_of_looks(profile: StackTree, duration_ms: float) -> str:
    """Return how often was looked, and what was seen."""
    parts = [counted(profile.number, "look")]
    if profile.number:
        parts.append(f"one each {seconds(profile.sample_s)}")
    seen_s = profile.busy_s + profile.waiting_s
    # More than all of it was seen where several threads worked for it.
    if 0 < 1000 * seen_s <= 1.01 * duration_ms:
        seen = share_text(1000 * seen_s / duration_ms)
        parts.append(f"seen {seen} of the request")
    states = [
        f"{seconds(state_s)} {label}" for label, state_s in states_of(profile)
    ]
    return f"{', '.join(parts)}: {', '.join(states)}"


def states_of(profile: Profile) -> list[tuple[str, float]]:
    """Return what the threads did, and for how many seconds.

    Work and waiting; of ``stacks`` the GIL and the processors' line as well,
    where any time was spent there.
    """
    states = [(WORK, profile.busy_s), ("waiting", profile.waiting_s)]
    if isinstance(profile, StackTree) and profile.engine == STACKS:
        gil_s = profile.time_in(WAITING_FOR_GIL)
        in_line_s = profile.time_in(IN_LINE)
        states = [
            (WORK, profile.busy_s),
            ("waiting", profile.waiting_s - in_line_s - gil_s),
            ("waiting for the GIL", gil_s),
            ("in line for a processor", in_line_s),
        ]
    return [*states[:2], *(one for one in states[2:] if one[1] > 0)]


def where_lines(profile: Profile) -> list[str]:
    """Return where the time went, in shares of it, and the longest wait.

    Nothing where samples are too few, or where no wait was seen: then all
    that was seen is work.
    """
    whole_s = profile.busy_s + profile.waiting_s
    is_known = profile.kind == CALLS or is_enough(profile.number)
    if profile.waiting_s <= 0 or not is_known:
        return []
    shares = ", ".join(
        f"{label} {share_text(state_s / whole_s)}"
        for label, state_s in sorted(
            states_of(profile), key=lambda one: -one[1]
        )
    )
    lines = [f"where the time went: {shares}"]
    # Of a sum without a place it is not known what waited.
    placed = (
        one
        for one in profile.waits()
        if one.function.name not in (IN_LINE, WAITED_UNSEEN)
    )
    wait = next(placed, None)
    if wait is not None:
        caller = "" if wait.caller is None else f", for {wait.caller.label}"
        lines.append(
            f"longest wait in one place: {seconds(wait.seconds)} in "
            f"{wait.function.label}{caller}"
        )
    return lines


def figures_of(
    profile: Profile,
    most: int = 20,
    duration_ms: float = 0.0,
    lanes: int = 0,
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
            for step in steps_of(profile)
        ],
        "functions": [row_figures(row, profile) for row in rows],
        "waits": [wait_figures(wait) for wait in profile.waits()[:most]],
        "notes": notes_of(profile, rows, duration_ms, lanes),
    }


def totals_of(profile: Profile) -> dict[str, Any]:
    """Return the profile's totals."""
    figures = {
        "engine": profile.engine,
        "kind": profile.kind,
        "profiles": profile.profiles,
        profile.kind: profile.number,
        "busy_s": round(profile.busy_s, 6),
        "waiting_s": round(profile.waiting_s, 6),
        "elsewhere_s": round(profile.elsewhere_s, 6),
    }
    if profile.kind == SAMPLES:
        figures["sample_s"] = round(profile.sample_s, 6)
    if isinstance(profile, StackTree) and profile.engine == STACKS:
        figures["gil_s"] = round(profile.time_in(WAITING_FOR_GIL), 6)
        figures["in_line_s"] = round(profile.time_in(IN_LINE), 6)
    return figures


def row_figures(row: Row, profile: Profile) -> dict[str, Any]:
    """Return a function's line; its number is called calls or samples."""
    fields = function_figures(row.function)
    fields[profile.kind] = row.number
    if profile.kind == CALLS:
        fields["primitive_calls"] = row.primitive
    if row.self_number is not None:
        fields["self_samples"] = round(row.self_number, 2)
    fields["self_s"] = round(row.self_s, 6)
    fields["cumulative_s"] = round(row.total_s, 6)
    share = share_in(profile, row.self_s)
    fields["share"] = None if share is None else round(share, 4)
    return fields


def wait_figures(wait: Wait) -> dict[str, Any]:
    """Return the function that waited, and its caller."""
    return {
        **function_figures(wait.function),
        "number": wait.number,
        "seconds": round(wait.seconds, 6),
        "line_waited_in": wait.line,
        "for": None if wait.caller is None else function_figures(wait.caller),
    }


def function_figures(function: Function) -> dict[str, Any]:
    """Return the function's name and place."""
    return {
        "function": function.label,
        "file": function.file,
        "line": function.line,
    }


def number_text(row: Row) -> str:
    """Return the number of calls or samples, ``<1`` for a part of one."""
    return str(row.number) if row.number or not row.total_s else "<1"
