# SPDX-License-Identifier: Apache-2.0
"""The tables that all threads of a Firefox Profiler's profile share.

Columns and their meaning are of version 61 of the processed profile format;
the Firefox Profiler brings older versions up to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from nova_profiler.profiles.frames import Frame
from nova_profiler.profiles.functions import Function, short_file
from nova_profiler.reading.code.timelines.texts import text

# Past it a stack ends at the deepest frame that is there already.
MOST_STACKS = 300_000
# "Which bag of code": a package is no library with addresses.
_PACKAGE = 0


class Table:
    """Columns of equal length; each row once, found by its key."""

    def __init__(self, *columns: str) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in columns}
        self._places: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def place_of(
        self, key: Hashable, row: Callable[[], tuple[Any, ...]]
    ) -> int:
        """Return the place of *key*, whose *row* is made if it is new."""
        place = self._places.get(key)
        if place is None:
            values = row()
            place = self._places[key] = len(self._places)
            for column, value in zip(
                self._columns.values(), values, strict=True
            ):
                column.append(value)
        return place

    def __contains__(self, key: Hashable) -> bool:
        return key in self._places

    def fields(self) -> dict[str, Any]:
        """Return the table as the format has it."""
        return {**self._columns, "length": len(self._places)}


class SharedTables:
    """Texts, functions, frames and stacks, each once."""

    def __init__(
        self, category_of: Callable[[Function], tuple[int, int]]
    ) -> None:
        """Give frames the category and subcategory of their function."""
        self._category_of = category_of
        # How many stacks end where there was no more room.
        self.cut = 0
        self._texts: dict[str, int] = {}
        self._stacks = Table("frame", "prefix")
        self._frames = Table(
            "address",
            "inlineDepth",
            "category",
            "subcategory",
            "func",
            "nativeSymbol",
            "innerWindowID",
            "line",
            "column",
        )
        self._functions = Table(
            "name",
            "isJS",
            "relevantForJS",
            "resource",
            "source",
            "lineNumber",
            "columnNumber",
        )
        self._packages = Table("lib", "name", "host", "type")
        self._files = Table(
            "id", "filename", "startLine", "startColumn", "sourceMapURL"
        )

    def text(self, value: str) -> int:
        """Return the place of *value* among all texts."""
        return self._texts.setdefault(value, len(self._texts))

    def stack(self, frames: Sequence[Frame]) -> int | None:
        """Return the place of a stack; None where no frame of it has room."""
        stack: int | None = None
        for frame in frames:
            row = (self._frame(frame), stack)
            if row not in self._stacks and len(self._stacks) >= MOST_STACKS:
                self.cut += 1
                break
            stack = self._stacks.place_of(row, lambda row=row: row)  # type: ignore[misc]
        return stack

    def fields(self) -> dict[str, Any]:
        """Return all tables as the format has them."""
        return {
            "stackTable": self._stacks.fields(),
            "frameTable": self._frames.fields(),
            "funcTable": self._functions.fields(),
            "resourceTable": self._packages.fields(),
            "nativeSymbols": Table(
                "libIndex", "address", "name", "functionSize"
            ).fields(),
            "sources": self._files.fields(),
            "stringArray": list(self._texts),
        }

    def _frame(self, frame: Frame) -> int:
        return self._frames.place_of(
            frame,
            lambda: (
                -1,
                0,
                *self._category_of(frame.function),
                self._function(frame.function),
                None,
                0,
                frame.line,
                None,
            ),
        )

    def _function(self, function: Function) -> int:
        return self._functions.place_of(
            function,
            lambda: (
                self.text(text(function.label)),
                False,
                False,
                self._package(function),
                self._file(function),
                function.line or None,
                None,
            ),
        )

    def _package(self, function: Function) -> int:
        package = text(function.module.partition(".")[0])
        if not package:
            return -1
        return self._packages.place_of(
            package, lambda: (None, self.text(package), None, _PACKAGE)
        )

    def _file(self, function: Function) -> int | None:
        if function.is_built_in:
            return None
        file = text(short_file(function.file))
        return self._files.place_of(
            file, lambda: (None, self.text(file), 1, 1, None)
        )
