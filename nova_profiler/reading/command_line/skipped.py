# SPDX-License-Identifier: Apache-2.0
"""What a command could not read: a line each on standard error."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator

import click

from nova_profiler.reading.logs.unread import (
    Unread,
    is_about_file,
    kind_text,
)
from nova_profiler.reading.screen.terminal import printable

_NAMED = 3
_NAMED_KINDS = 10
_NARROWEST = 40
_CUT = "..."


class Skipped:
    """Damaged and foreign files or lines that a command left out."""

    def __init__(self) -> None:
        self.count = 0
        self.damaged = 0
        self._named: list[str] = []

    def add(self, message: str) -> None:
        """Note what was left out, and why."""
        self.count += 1
        if len(self._named) < _NAMED:
            self._named.append(message)

    def add_damaged(self, dump: Exception) -> None:
        """Note a dump that cannot be read."""
        self.damaged += 1
        self.add(str(dump))

    @property
    def first(self) -> str:
        """Return what was left out first."""
        return printable(self._named[0]) if self._named else ""

    def add_foreign(self, names: Iterable[str]) -> None:
        """Note files that are no dumps."""
        for name in names:
            self.add(f"{name}: not a dump")

    def add_unread(self, unread: Unread) -> None:
        """Note each kind of file or line that a reader of logs left out."""
        for message in _kinds_of(unread):
            self.add(message)

    def print(self) -> None:
        """Print the first few, and count the rest."""
        print_skipped(self._named)
        if self.count > _NAMED:
            print_skipped([f"{self.count - _NAMED} more"])


def print_skipped(messages: Iterable[str]) -> None:
    """Print *messages* on standard error as what was skipped."""
    for message in messages:
        click.echo(f"skipped: {printable(message)}", err=True)


def print_unread(unread: Unread) -> None:
    """Print each kind of file or line left out, the most frequent first.

    On a terminal a kind of lines takes one line, as an example is no more
    than that; what names a file stays whole.
    """
    rows = list(unread)
    width = _width()
    for row in rows[:_NAMED_KINDS]:
        shown = printable(f"skipped: {_text_of(*row)}")
        for line in _fitted(shown, width, is_about_file(row.kind)):
            click.echo(line, err=True)
    if rows[_NAMED_KINDS:]:
        print_skipped([f"{len(rows) - _NAMED_KINDS} more kinds"])


def first_kind(unread: Unread) -> str:
    """Return the most frequent kind of what was left out, empty if none."""
    return next(_kinds_of(unread), "")


def _kinds_of(unread: Unread) -> Iterator[str]:
    for row in unread:
        yield _text_of(*row)


def _text_of(kind: str, count: int, example: str) -> str:
    number = "" if count == 1 else f"{count} "
    return f"{number}{kind_text(count, kind)}: {example}"


def _width() -> int | None:
    """Return how wide lines may be; None into a file or a pipe."""
    if not (sys.stderr.isatty() or os.environ.get("COLUMNS")):
        return None
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def _fitted(text: str, width: int | None, is_whole: bool) -> list[str]:
    """Return *text* as lines of *width*: the one that fits, or all of it."""
    if width is None or len(text) <= width:
        return [text]
    if not is_whole:
        return [f"{text[: width - len(_CUT)]}{_CUT}"]
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * len("skipped: "),
        break_long_words=False,
        break_on_hyphens=False,
    )
