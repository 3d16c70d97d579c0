# SPDX-License-Identifier: Apache-2.0
"""What the options keep and log of each kind of what is served.

``slow`` stands for every kind, ``message:slow`` for messages alone. Without a
kind, ``all`` stands for requests: a conductor serves thousands of messages a
second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from nova_profiler.record import KINDS, REQUEST

ALL, SLOW, FAILED, PROFILED = "all", "slow", "failed", "profiled"
# What dump_when consists of, and log_requests besides true and false.
DUMP_WORDS = (SLOW, FAILED, PROFILED, ALL)
LINE_WORDS = (SLOW, FAILED, ALL)


def words_of_kinds(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return *words* for each kind alone: ``message:slow`` and so on."""
    return tuple(f"{kind.name}:{word}" for kind in KINDS for word in words)


class Wanted(NamedTuple):
    """Which of one kind an option asks for."""

    slow: bool
    failed: bool
    profiled: bool
    all: bool


@lru_cache(64)
def wanted_of(option: bool | tuple[str, ...], kind: str) -> Wanted:
    """Return what *option*, ``dump_when`` or ``log_requests``, wants."""
    if option is True:
        option = (f"{REQUEST.name}:{ALL}",)
    words = {
        word
        for word in option or ()
        if ":" not in word and (word != ALL or kind == REQUEST.name)
    }
    own = f"{kind}:"
    words |= {
        word[len(own) :] for word in option or () if word.startswith(own)
    }
    return Wanted(
        SLOW in words, FAILED in words, PROFILED in words, ALL in words
    )
