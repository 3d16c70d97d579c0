# SPDX-License-Identifier: Apache-2.0
"""Searches logs for a request, and for those that belong to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.follow.search.hits import Hit, LogLine, hits_in
from nova_profiler.reading.follow.search.leads import (
    NOTHING,
    Leads,
    Wanted,
    wanted_of,
)
from nova_profiler.reading.follow.search.line_reader import (
    LineReader,
    joins,
    stands_alone,
)
from nova_profiler.reading.follow.search.messages import (
    ids_named_by,
    messages_of,
)
from nova_profiler.reading.follow.search.quick_look import QuickLook
from nova_profiler.reading.logs.files.blocks import blocks_of
from nova_profiler.reading.logs.files.sources import Source
from nova_profiler.reading.logs.line_parts.colours import BEFORE_ID
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.screen.terminal import counted

READ_ONCE = "pipe, read once: related requests in it may be missing"

# A global id may cover a whole deployment; no person reads more than this.
MOST_LINES = 50_000
MOST_BYTES = 64 * 1024 * 1024
_MOST_REQUESTS = 64
# For the request, for what it names, for what that names.
_MOST_ROUNDS = 3
_MOST_IDS = 1000
_RARE = 6
# Decompressing lets other threads run.
_THREADS = 2
_NAMED = 5

_WHOLE_ID = re.compile(
    r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
)


class RequestNotFound(NovaProfilerError):
    """No line holds the id, or lines of several requests do."""


class FollowedRequest(NamedTuple):
    """All lines found, of the request and of those that belong to it."""

    request_id: str
    related_ids: tuple[str, ...]
    lines: list[LogLine]
    searched_files: int
    searched_bytes: int
    # Found beyond the limits.
    lines_left_out: int


class RequestSearch:
    """Searches *sources*; *unread* notes what cannot be read.

    *on_round* hears the number of each pass over them, *on_bytes* how far
    the reader got, *on_line* of each line found.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        unread: Unread,
        on_round: Callable[[int], None] | None = None,
        on_bytes: Callable[[int], None] | None = None,
        on_line: Callable[[LogLine], None] | None = None,
    ) -> None:
        self._sources = list(sources)
        self._unread = unread
        self._on_round = on_round
        self._on_bytes = on_bytes
        self._on_line = on_line
        self._readers = [LineReader(source) for source in sources]
        self._look = QuickLook()
        self._leads = Leads(_MOST_REQUESTS - 1)
        self._lines: dict[tuple[int, int], LogLine] = {}
        self._rounds = 0
        self._hits = self._kept_bytes = 0
        # For each pass: the next one finds the same lines again.
        self._left_out = [0]
        self._searched_bytes = 0

    def find(self, wanted: str) -> FollowedRequest:
        """Return the request *wanted*: its id, with or without ``req-``.

        The start of an id is enough if only one begins so. Raises
        RequestNotFound.
        """
        bare = wanted.removeprefix("req-")
        request_id = self._only_one(self._ids_from(b"req-" + bare.encode()))
        if request_id is None and _WHOLE_ID.fullmatch(bare):
            # Logs older than Folsom have ids without the req-.
            request_id = self._only_one(self._ids_from(bare.encode()))
        if request_id is None:
            size = self._searched_bytes / self._rounds / 1e6
            raise RequestNotFound(
                f"{wanted} is in none of the logs that were searched: "
                f"{counted(len(self._sources), 'file')}, {size:.1f} MB"
            )
        related = self._search_related(request_id)
        return FollowedRequest(
            request_id,
            tuple(related),
            [self._lines[place] for place in sorted(self._lines)],
            len(self._sources),
            self._searched_bytes,
            max(self._left_out),
        )

    def _ids_from(self, start: bytes) -> set[str]:
        """Keep the lines with ids that begin with *start*; return the ids."""
        ids: set[str] = set()
        whole = re.compile(
            BEFORE_ID + re.escape(start) + rb"[0-9A-Za-z-]{0,64}"
        )
        rare = start.removeprefix(b"req-")
        # "req-" is in every line: the rest is found more quickly.
        needle = start if len(rare) < _RARE else rare
        for text, line in self._search(Wanted((needle,), whole.search)):
            ids.update(one.decode() for one in whole.findall(text))
            if len(ids) > _MOST_IDS:
                break
            if len(ids) == 1:
                self._leads.learn(min(ids), line)
        return ids

    def _only_one(self, ids: set[str]) -> str | None:
        if len(ids) <= 1:
            return min(ids, default=None)
        some = ", ".join(sorted(ids)[:_NAMED])
        count = f"{_MOST_IDS} or more" if len(ids) > _MOST_IDS else len(ids)
        raise RequestNotFound(
            f"{count} requests begin so, give more of the id: {some}"
            f"{', ...' if len(ids) > _NAMED else ''}"
        )

    def _search_related(self, request_id: str) -> list[str]:
        """Search for all that the lines name; return the requests' ids."""
        known = [request_id]
        messages: set[str] = set()
        while self._rounds < _MOST_ROUNDS:
            lines = self._lines.values()
            news = ids_named_by(lines, known)[: _MOST_REQUESTS - len(known)]
            new_messages = messages_of(lines) - messages
            if not news and not new_messages:
                break
            known += news
            messages |= new_messages
            for _ in self._search(wanted_of(news, new_messages)):
                pass
        return known[1:]

    def _search(self, wanted: Wanted) -> Iterator[tuple[bytes, LogLine]]:
        """Keep the lines that are *wanted*; yield each with its text."""
        is_first = not self._rounds
        if self._on_round is not None:
            self._on_round(self._rounds)
        self._rounds += 1
        self._left_out.append(0)
        numbers = [
            number
            for number in range(len(self._sources))
            if is_first or self._is_read_again(number, wanted)
        ]
        hits_of = partial(self._hits_of, wanted, is_first)
        for number, hits in self._each_of(numbers, hits_of):
            for hit in hits:
                line = self._keep(number, hit)
                if wanted.holds(hit.line):
                    yield hit.line, line

    def _is_read_again(self, number: int, wanted: Wanted) -> bool:
        if self._leads.rule_out(number, wanted):
            return False
        source = self._sources[number]
        if source.size is None:
            self._unread.add(READ_ONCE, source.name)
        return source.size is not None

    def _each_of(
        self,
        numbers: Sequence[int],
        hits_of: Callable[[int], list[Hit]],
    ) -> Iterator[tuple[int, list[Hit]]]:
        """Yield the hits of each source; decompress several at a time."""
        if not any(self._sources[number].compression for number in numbers):
            # Searching holds the interpreter's lock: threads would wait.
            yield from zip(numbers, map(hits_of, numbers), strict=True)
            return
        with ThreadPoolExecutor(_THREADS) as threads:
            try:
                found = threads.map(hits_of, numbers)
                yield from zip(numbers, found, strict=True)
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _hits_of(
        self, wanted: Wanted, is_first: bool, number: int
    ) -> list[Hit]:
        """Return the new hits in a source, within the limits of all."""
        unread = Unread()
        if is_first and self._sources[number].size is None:
            # A pipe is read once, with what is known by then.
            wanted = wanted.joined(self._leads.wanted)
        blocks = self._blocks_of(wanted, is_first, number, unread)

        def belongs(line: bytes, following: bytes) -> bool:
            return joins(line, following) and not (
                stands_alone(following) and wanted.holds(following)
            )

        hits = []
        for hit in hits_in(blocks, wanted.needles, belongs, wanted.holds):
            size = len(hit.line) + sum(map(len, hit.more))
            if (number, hit.offset) in self._lines:
                continue
            if (
                self._hits >= MOST_LINES
                or self._kept_bytes + size > MOST_BYTES
            ):
                self._left_out[-1] += 1
                continue
            self._hits += 1
            self._kept_bytes += size
            hits.append(hit)
        if is_first:
            # A later pass fails to read the same.
            self._unread.merge(unread)
        return hits

    def _blocks_of(
        self, wanted: Wanted, is_first: bool, number: int, unread: Unread
    ) -> Iterator[bytes]:
        """Yield the text of a source; nothing if it surely has no hit."""
        source = self._sources[number]
        leads = self._leads.wanted if is_first else NOTHING
        needles = wanted.needles + leads.needles
        if self._look.passes_over(source, needles, self._passed):
            self._leads.note_without(number, leads)
            return
        blocks = blocks_of(source, unread, self._on_bytes)
        for block in self._leads.watched(number, leads, blocks):
            self._searched_bytes += len(block)
            yield block

    def _passed(self, count: int) -> None:
        self._searched_bytes += count
        if self._on_bytes is not None:
            self._on_bytes(count)

    def _keep(self, number: int, hit: Hit) -> LogLine:
        line = self._readers[number].read(hit)
        self._lines[number, hit.offset] = line
        if self._on_line is not None:
            self._on_line(line)
        return line
