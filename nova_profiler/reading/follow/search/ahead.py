# SPDX-License-Identifier: Apache-2.0
"""Searches for what a request leads to while it is still being searched for.

The first of its lines name most of that. The files after them need not be
read again for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import Hit, LogLine
from nova_profiler.reading.follow.search.messages import (
    RPC_MARKS,
    holds_any,
    ids_named_by,
    messages_of,
)

# So many messages are searched for by their ids, more by what marks any.
_MOST_MESSAGES = 8


class Wanted(NamedTuple):
    """What is searched for at once, and what tells a line that has it.

    ``sought`` are the ids of requests and messages, whatever the needles.
    """

    needles: tuple[bytes, ...]
    holds: Callable[[bytes], object]
    sought: frozenset[str] = frozenset()


NOTHING = Wanted((), lambda line: False)


def wanted_of(ids: Sequence[str], messages: set[str]) -> Wanted:
    """Return how to search for requests and RPC messages."""
    named = [one.encode() for one in ids]
    marks = (
        tuple(sorted(one.encode() for one in messages))
        if len(messages) <= _MOST_MESSAGES
        else RPC_MARKS
    )
    return Wanted(
        (*named, *marks),
        holds_any(named, messages),
        frozenset([*ids, *messages]),
    )


class Ahead:
    """What is known so far, and what was searched for it in which file."""

    def __init__(self) -> None:
        self.wanted = NOTHING
        self._ids: dict[str, None] = {}
        self._messages: set[str] = set()
        self._searched: dict[int, frozenset[str]] = {}
        self._hits: dict[int, list[Hit]] = {}

    def learn(self, request_id: str, line: LogLine, most_ids: int) -> None:
        """Note what *line* of the request leads to."""
        ids = ids_named_by([line], [request_id])
        messages = messages_of([line])
        if self._ids.keys() >= set(ids) and self._messages >= messages:
            return
        self._ids.update(dict.fromkeys(ids))
        self._messages |= messages
        # A copy: what was searched for in a file stays what it was.
        self.wanted = wanted_of(
            list(self._ids)[:most_ids], set(self._messages)
        )

    def note(self, number: int, wanted: Wanted, hits: list[Hit]) -> None:
        """Note which *hits* the file *number* has of *wanted*."""
        self._searched[number] = wanted.sought
        self._hits[number] = hits

    def has(self, number: int, wanted: Wanted) -> bool:
        """Tell whether all that is *wanted* was searched for in a file."""
        if not wanted.sought:
            # The start of an id, which nothing leads to.
            return False
        return wanted.sought <= self._searched.get(number, frozenset())

    def hits(self, number: int) -> list[Hit]:
        """Return what was found in a file, once."""
        self._searched.pop(number, None)
        return self._hits.pop(number, [])
