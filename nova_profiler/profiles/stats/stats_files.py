# SPDX-License-Identifier: Apache-2.0
"""Reads ``.prof``: the one shape that pstats writes, and nothing else.

The file is a marshalled dict, and Python's own unmarshalling must not be
given what a stranger made: it can be brought to crash, and it makes code
objects. So only the shape of a profile is read here::

    {(file, line, name): (primitive calls, calls, self, total,
        {(file, line, name): (calls, primitive calls, self, total)})}

Each part may be a reference to an equal one before it. Depth is bounded by
that shape, sizes by the length of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from nova_profiler.profiles.stats.stats_bytes import (
    DICT,
    FLOAT,
    INT,
    MOST,
    NULL,
    REF,
    REF_FLAG,
    REF_SIZE,
    SMALL_TUPLE,
    StatsBytes,
    StatsError,
)

__all__ = ["Figures", "Key", "Stats", "StatsError", "read_stats"]

Key = tuple[str, int, str]
Figures = tuple[int, int, float, float]
Callers = dict[Key, Figures]
Row = tuple[int, int, float, float, Callers]

# How many parts a file has of a function's name and place, of its figures,
# and of those of its calls by one caller. Tuples of one length are of one
# kind: a reference needs no other check.
_KEY, _ROW, _CALL = 3, 5, 4
# Callers that functions share with others: two million take half a second.
_MOST_SHARED = 2_000_000

# What nearly every file consists of, each taken in one go: a function that
# was named before with its figures; where a new one is; figures alone.
_SEEN_ENTRY = struct.Struct("<BIBBBiBiBdBd")
_FILE_AND_LINE = struct.Struct("<BBBIBi")
_FIGURES = struct.Struct("<BBBiBiBdBd")


class Stats(NamedTuple):
    """A function's figures; ``callers`` in the same order as its own."""

    key: Key
    primitive: int
    calls: int
    self_s: float
    total_s: float
    callers: Callers


def read_stats(data: bytes) -> Iterator[Stats]:
    """Yield the functions in *data*; raises StatsError at what is wrong.

    Callers are (primitive calls, calls, self, total).
    """
    reader = _Reader(data)
    try:
        yield from reader.functions()
    except (IndexError, struct.error):
        raise StatsError("ends in the middle or is damaged") from None
    if reader.position != len(data):
        raise StatsError("has something after its end")


class _Reader(StatsBytes):
    """Takes functions, figures and callers."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._shared = 0

    def functions(self) -> Iterator[Stats]:
        data = self.data
        if data[0] & ~REF_FLAG != DICT:
            raise StatsError("not a profile as pstats writes it")
        self.begin(DICT)
        while data[self.position] != NULL:
            key, figures = self._entry(_ROW)
            if figures is None:
                yield Stats(key, *self._row())
            else:
                yield Stats(key, *figures, self._callers())
        self.position += 1

    def _entry(self, length: int) -> tuple[Key, Figures | None]:
        """Return a function and the first four of its *length* figures.

        By far the most are of one form, and a method for each of its parts
        would take most of the time. Figures of other forms are left: None.
        """
        data, at, seen = self.data, self.position, self.seen
        if data[at] == REF and len(data) - at >= _SEEN_ENTRY.size:
            _, n, t, found, a, x, b, y, c, self_s, d, total_s = (
                _SEEN_ENTRY.unpack_from(data, at)
            )
            key = seen[n]
            if type(key) is not tuple or len(key) != _KEY:
                raise StatsError("not a profile: refers to no function")
            end = at + _SEEN_ENTRY.size
            at += REF_SIZE
        else:
            key = self._key()
            at = self.position
            if len(data) - at < _FIGURES.size:
                return key, None
            t, found, a, x, b, y, c, self_s, d, total_s = _FIGURES.unpack_from(
                data, at
            )
            end = at + _FIGURES.size
        if a == REF and 0 <= x < len(seen):
            x, a = seen[x], INT
        if b == REF and 0 <= y < len(seen):
            y, b = seen[y], INT
        if (
            type(x) is int
            and type(y) is int
            and t == SMALL_TUPLE
            and found == length
            and a == b == INT
            and c == d == FLOAT
            and 0 <= self_s <= MOST
            and 0 <= total_s <= MOST
        ):
            self.position = end
            return key, (x, y, self_s, total_s)
        self.position = at
        return key, None

    def _row(self) -> Row:
        """Return all figures of a function, its callers last."""
        if self.data[self.position] == REF:
            row: Row = self.referred_tuple(_ROW, "figures")
            self._count_shared(row[4])
            return row
        number = self.begin_tuple(_ROW)
        row = (*self._numbers(), self._callers())
        self.keep(number, row)
        return row

    def _callers(self) -> Callers:
        data = self.data
        if data[self.position] == REF:
            found = self.referred()
            if type(found) is not dict:
                raise StatsError("not a profile: refers to no callers")
            self._count_shared(found)
            return found
        number = self.begin(DICT)
        callers: Callers = {}
        while data[self.position] != NULL:
            caller, figures = self._entry(_CALL)
            # The two counts are the other way round than in a row.
            n, cc, own_s, all_s = figures or self._figures()
            callers[caller] = cc, n, own_s, all_s
        self.position += 1
        self.keep(number, callers)
        return callers

    def _figures(self) -> Figures:
        """Return the figures of a caller, in the order of the file."""
        if self.data[self.position] == REF:
            found: Figures = self.referred_tuple(_CALL, "figures")
            return found
        number = self.begin_tuple(_CALL)
        figures = self._numbers()
        self.keep(number, figures)
        return figures

    def _numbers(self) -> Figures:
        return self.whole(), self.whole(), self.seconds(), self.seconds()

    def _count_shared(self, callers: Callers) -> None:
        """Bound what a small file can come to by sharing many callers."""
        self._shared += len(callers)
        if self._shared > _MOST_SHARED:
            raise StatsError("shares more callers than any profile has")

    def _key(self) -> Key:
        if self.data[self.position] == REF:
            key: Key = self.referred_tuple(_KEY, "function")
            return key
        return self._usual_key() or self._new_key()

    def _new_key(self) -> Key:
        number = self.begin_tuple(_KEY)
        key = self.text(), self.whole(), self.text()
        self.keep(number, key)
        return key

    def _usual_key(self) -> Key | None:
        """Return a function in a file that was named before."""
        data, at, seen = self.data, self.position, self.seen
        if len(data) - at < _FILE_AND_LINE.size:
            return None
        t, three, r, n, i, line = _FILE_AND_LINE.unpack_from(data, at)
        if (
            t & ~REF_FLAG != SMALL_TUPLE
            or three != _KEY
            or r != REF
            or n >= len(seen)
            or type(seen[n]) is not str
        ):
            return None
        if i == REF and 0 <= line < len(seen):
            line = seen[line]
            if type(line) is not int:
                return None
        elif i & ~REF_FLAG != INT:
            return None
        self.position = at + _FILE_AND_LINE.size
        number = -1
        if t & REF_FLAG:
            number = len(seen)
            seen.append(None)
        if i & REF_FLAG:
            seen.append(line)
        key = seen[n], line, self.text()
        self.keep(number, key)
        return key
