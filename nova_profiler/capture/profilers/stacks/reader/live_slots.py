# SPDX-License-Identifier: Apache-2.0
"""The slots of pieces that are worked at, as the worker wrote them."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.slot_words import (
    GREENLET,
    HOME,
    MARK,
    NUMBER,
    REQUEST,
    USED,
    WORDS,
)


class Slot(NamedTuple):
    """A piece of a request as a round finds it."""

    at: int
    number: int
    mark: int
    request: int
    home: int
    # The address of its greenlet, 0 in a plain thread.
    greenlet: int


def live_slots(words: memoryview[int]) -> list[Slot]:
    """Return the pieces that are worked at now; *words* are all slots."""
    found = []
    for at in range(WORDS, words[USED] * WORDS, WORDS):
        number = words[at + NUMBER]
        if number:
            slot = Slot(
                at,
                number,
                words[at + MARK],
                words[at + REQUEST],
                words[at + HOME],
                words[at + GREENLET],
            )
            # One that ended meanwhile may be another's by now.
            if words[at + NUMBER] == number:
                found.append(slot)
    return found
