# SPDX-License-Identifier: Apache-2.0
"""What a request leads to, and which files hold none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    RPC_MARKS,
    holds_any,
    ids_named_by,
    messages_of,
)

# Beyond that the needles are marks that every RPC message has.
_MOST_MESSAGES = 8
# What is learned early; for more than that, files are searched once more. A
# line that adds to it takes as long as all of it.
MOST_LEARNED = 500


class Wanted(NamedTuple):
    """The texts to search for at once, and the test for a line with one.

    ``sought`` are the ids of requests and messages behind the needles.
    """

    needles: tuple[bytes, ...]
    holds: Callable[[bytes], object]
    sought: frozenset[str] = frozenset()

    def joined(self, other: Wanted) -> Wanted:
        """Return how to search for both at once."""
        return Wanted(
            (*self.needles, *other.needles),
            lambda line: self.holds(line) or other.holds(line),
            self.sought | other.sought,
        )


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


class Leads:
    """The ids that lines of a request name, and the files without them.

    The first lines name most of what a request leads to. The files after
    them are searched for that as well, so that a second pass opens only
    those that hold some of it. Over compressed logs it adds a tenth to the
    time of one pass, where it would add two thirds: the two rows of
    ``make bench ARGS="follow --compressed"``.
    """

    def __init__(self, most_ids: int) -> None:
        self.wanted = NOTHING
        self._most_ids = most_ids
        self._ids: dict[str, None] = {}
        self._messages: set[str] = set()
        self._without: dict[int, frozenset[str]] = {}

    def learn(self, request_id: str, line: LogLine) -> None:
        """Note what *line* of the request names, up to MOST_LEARNED."""
        if len(self._ids) + len(self._messages) >= MOST_LEARNED:
            return
        ids = ids_named_by([line], [request_id])
        messages = messages_of([line])
        if self._ids.keys() >= set(ids) and self._messages >= messages:
            return
        self._ids.update(dict.fromkeys(ids))
        self._messages |= messages
        # A copy: what a file was searched for stays what it was.
        self.wanted = wanted_of(
            list(self._ids)[: self._most_ids], set(self._messages)
        )

    def note_without(self, number: int, wanted: Wanted) -> None:
        """Note that file *number* holds nothing of *wanted*."""
        if wanted.sought:
            self._without[number] = wanted.sought

    def watched(
        self, number: int, wanted: Wanted, blocks: Iterable[bytes]
    ) -> Iterator[bytes]:
        """Yield *blocks* of a file; note if none holds some of *wanted*."""
        is_without = True
        for block in blocks:
            if is_without:
                is_without = not any(one in block for one in wanted.needles)
            yield block
        if is_without:
            self.note_without(number, wanted)

    def rule_out(self, number: int, wanted: Wanted) -> bool:
        """Return whether file *number* surely holds nothing of *wanted*."""
        known = self._without.get(number, frozenset())
        # A start of an id has no name: any file may hold one.
        return bool(wanted.sought) and wanted.sought <= known
