# SPDX-License-Identifier: Apache-2.0
"""The largest part of the time, where no rule has advice about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nova_profiler.groups import (
    DB_API,
    EITHER,
    GROUPS,
    LABELS,
    NOT_PROCESSOR,
    PROCESSOR,
    PYTHON,
    UNSPLIT,
    WAITING,
)
from nova_profiler.reading.advice.rules.table import BY_NAME

# What stands for the rule in a row of advice.
LARGEST_PART = "largest_part"

PART_LABELS = {
    **LABELS,
    PROCESSOR.name: f"waiting {PROCESSOR.label}",
    NOT_PROCESSOR.name: f"waiting {NOT_PROCESSOR.label}",
    UNSPLIT.name: f"waiting, {UNSPLIT.label}",
}
_TOP = "top"
_STACKS = f"`{_TOP}` shows where, with profiler = stacks"
_OF_PROCESSES = "look at how busy the processors of this machine are"
_CALLS = {
    group.bucket.name: f"calls --by {group.name}"
    for group in GROUPS
    if group.bucket.name != DB_API.bucket.name
}
# Other groups have calls to look at.
_LOOK_AT = {
    PYTHON.name: _STACKS,
    EITHER.name: _STACKS,
    DB_API.bucket.name: _STACKS,
    WAITING.name: _STACKS,
    PROCESSOR.name: _OF_PROCESSES,
    NOT_PROCESSOR.name: _STACKS,
    UNSPLIT.name: f"{_OF_PROCESSES}; {_STACKS}",
    **{part: f"`{words}` has its calls" for part, words in _CALLS.items()},
}


def largest_part(parts_ms: Mapping[str, float]) -> str:
    """Return the name of the largest of *parts_ms*, empty without any."""
    name = max(parts_ms, key=lambda one: parts_ms[one], default="")
    return name if name in _LOOK_AT else ""


def is_covered(
    part: str, ms: float, saves_ms: Iterable[tuple[str, float]]
) -> bool:
    """Return whether advice is about *part*, and about half of its *ms*.

    *saves_ms* has the rule of each advice, and what it saves at most.
    """
    return any(
        part in BY_NAME[rule].parts and 2 * saves >= ms
        for rule, saves in saves_ms
    )


def sentence_about(part: str, ms: float, share: float, each: str) -> str:
    """Return what *part* is, how much, and what to look at."""
    return (
        f"the largest part is {PART_LABELS[part]}: {ms:.1f} ms{each}, "
        f"{100 * share:.1f} %; {_LOOK_AT[part]}"
    )


def words_of_command(part: str, *, from_dumps: bool) -> str:
    """Return the words of the command that shows *part*, empty for none.

    Stacks are beside dumps alone.
    """
    if part in _CALLS:
        return _CALLS[part]
    return _TOP if from_dumps and _STACKS in _LOOK_AT.get(part, "") else ""
