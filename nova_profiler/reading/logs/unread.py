# SPDX-License-Identifier: Apache-2.0
"""What a reader of logs left out: counted by kind, one example of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nova_profiler.errors import NovaProfilerError

_LONGEST_EXAMPLE = 300
_MOST_FOLDERS = 3
# What kinds are about: the first such word of one.
_NOUN = re.compile(
    r"\b(?:line|request|call|file|link|record|worker|begin|end|archive|dump"
    r"|pipe|option)\b"
)
_FILES = ("file", "link", "archive", "dump", "pipe")
# Kinds are a few words of ours; the limit guards against a mistake.
_MOST_KINDS = 100
# How a kind begins whose calls count, but lack something.
IN_PART = "call counted without"


class ReadError(NovaProfilerError):
    """Reading ended before all logs were read; the message says why."""


class UnreadKind(NamedTuple):
    """Files or lines left out for one reason: how many, and the first."""

    kind: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    example: str


class Unread:
    """Files and lines that were left out, and why."""

    def __init__(self) -> None:
        # By kind: how many, and the first of them.
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}

    def add(self, kind: str, example: bytes | str, count: int = 1) -> None:
        """Note that *count* files or lines of this *kind* were left out."""
        if kind in self._counts:
            self._counts[kind] += count
        elif len(self._counts) < _MOST_KINDS:
            self._counts[kind] = count
            self._examples[kind] = _clipped(example)

    def merge(self, other: Unread) -> None:
        """Add what *other* noted."""
        for kind, count, example in other:
            self.add(kind, example, count)

    def __iter__(self) -> Iterator[UnreadKind]:
        """Yield each kind, the most frequent first."""
        for kind, count in sorted(
            self._counts.items(), key=lambda item: (-item[1], item[0])
        ):
            yield UnreadKind(kind, count, self._examples[kind])

    def count_of(self, kind: str) -> int:
        """Return how many of this *kind* were left out."""
        return self._counts.get(kind, 0)

    def figures(self) -> list[dict[str, Any]]:
        """Return the kinds as JSON-ready values."""
        return [row._asdict() for row in self]


def is_in_part(kind: str) -> bool:
    """Return whether calls of this *kind* count, for all that they lack."""
    return kind.startswith(IN_PART)


def is_about_file(kind: str) -> bool:
    """Return whether examples of *kind* are files, and not lines of one."""
    noun = _NOUN.search(kind)
    return noun is not None and noun[0] in _FILES


def kind_text(count: int, kind: str) -> str:
    """Return *kind* as it reads after *count*: its noun in the plural."""
    return kind if count == 1 else _NOUN.sub(r"\g<0>s", kind, count=1)


def no_files_in(folders: Sequence[str]) -> str:
    """Return what to say where none of *folders* has a file to read."""
    return f"no files in {' or '.join(folders[:_MOST_FOLDERS])}"


def _clipped(example: bytes | str) -> str:
    if isinstance(example, bytes):
        # A line may have 10 MB: only the part that is shown is decoded.
        example = example[: 4 * _LONGEST_EXAMPLE].decode("utf-8", "replace")
    return example[:_LONGEST_EXAMPLE].rstrip()
