# SPDX-License-Identifier: Apache-2.0
"""Reads ``.prof``: the one shape that pstats writes, and nothing else.

The file is a marshalled dict, and Python's own unmarshalling must not be
given what a stranger made: it can be brought to crash, and it makes code
objects. So only the shape of a profile is read here::

    {(file, line, name): (primitive calls, calls, self, total,
        {(file, line, name): (calls, primitive calls, self, total)})}

Depth is bounded by that shape, sizes by the length of the file.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from nova_profiler.errors import NovaProfilerError

Key = tuple[str, int, str]
Entry = tuple[Key, int, int, float, float]

# A number of a file that was not made to be silly.
_MOST = 1e12
_LONGEST_TEXT = 4096

_REF_FLAG = 0x80
_NULL, _DICT, _REF = ord("0"), ord("{"), ord("r")
_INT, _LONG, _FLOAT, _OLD_FLOAT = ord("i"), ord("l"), ord("g"), ord("f")
_SMALL_TUPLE, _TUPLE = ord(")"), ord("(")
_NAMES = {_DICT: "a table", _SMALL_TUPLE: "a list", _TUPLE: "a list"}
_SHORT_TEXTS = frozenset(b"zZ")
_ASCII_TEXTS = frozenset(b"aA")
_TEXTS = frozenset(b"ut")

_INT32 = struct.Struct("<i")
_SIZE = struct.Struct("<I")
_DOUBLE = struct.Struct("<d")

# What nearly every file consists of, each taken in one go: a function that
# was named before with its figures; where a new one is; figures alone.
_SEEN_ENTRY = struct.Struct("<BIBBBiBiBdBd")
_FILE_AND_LINE = struct.Struct("<BBBIBi")
_FIGURES = struct.Struct("<BBBiBiBdBd")


class StatsError(NovaProfilerError, ValueError):
    """The bytes are not a profile."""


class Stats(NamedTuple):
    """A function's figures; ``callers`` in the same order as its own."""

    key: Key
    primitive: int
    calls: int
    self_s: float
    total_s: float
    callers: dict[Key, tuple[int, int, float, float]]


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


class _Reader:
    """A place in the bytes, and the objects that later ones refer to."""

    def __init__(self, data: bytes) -> None:
        self.position = 0
        self._data = data
        self._seen: list[Any] = []

    def functions(self) -> Iterator[Stats]:
        data = self._data
        entry = self._entry
        if data[0] & ~_REF_FLAG != _DICT:
            raise StatsError("not a profile as pstats writes it")
        self._begin(_DICT)
        while data[self.position] != _NULL:
            key, primitive, calls, self_s, total_s = entry(5)
            self._begin(_DICT)
            callers = {}
            while data[self.position] != _NULL:
                # The two counts are the other way round than above.
                caller, *(n, cc, own_s, all_s) = entry(4)
                callers[caller] = cc, n, own_s, all_s
            self.position += 1
            yield Stats(key, primitive, calls, self_s, total_s, callers)
        self.position += 1

    def _entry(self, length: int) -> Entry:
        """Return a function and the first four of its *length* figures.

        By far the most are of one form, and a method for each of its parts
        would take most of the time.
        """
        data, at, seen = self._data, self.position, self._seen
        if data[at] == _REF and len(data) - at >= _SEEN_ENTRY.size:
            _, n, t, found, a, x, b, y, c, self_s, d, total_s = (
                _SEEN_ENTRY.unpack_from(data, at)
            )
            at += _SEEN_ENTRY.size
            key = seen[n]
        else:
            key = self._key()
            at = self.position
            if len(data) - at < _FIGURES.size:
                return key, *self._figures(length)
            t, found, a, x, b, y, c, self_s, d, total_s = _FIGURES.unpack_from(
                data, at
            )
            at += _FIGURES.size
        if a == _REF and 0 <= x < len(seen):
            x, a = seen[x], _INT
        if b == _REF and 0 <= y < len(seen):
            y, b = seen[y], _INT
        if (
            type(key) is tuple
            and type(x) is int
            and type(y) is int
            and t == _SMALL_TUPLE
            and found == length
            and a == b == _INT
            and c == d == _FLOAT
            and 0 <= self_s <= _MOST
            and 0 <= total_s <= _MOST
        ):
            self.position = at
            return key, x, y, self_s, total_s
        if data[self.position] == _REF:
            key = self._key()
        return key, *self._figures(length)

    def _figures(self, length: int) -> tuple[int, int, float, float]:
        self._tuple_of(length)
        first, second = self._whole(), self._whole()
        return first, second, self._seconds(), self._seconds()

    def _begin(self, code: int) -> int:
        """Take the code of an object; return its number if it has one."""
        found = self._data[self.position]
        if found & ~_REF_FLAG != code:
            raise StatsError(
                f"not a profile: {found:#x} where {_NAMES[code]} is due"
            )
        self.position += 1
        if not found & _REF_FLAG:
            return -1
        self._seen.append(None)
        return len(self._seen) - 1

    def _tuple_of(self, length: int) -> int:
        position = self.position
        if self._data[position] & ~_REF_FLAG == _TUPLE:
            number = self._begin(_TUPLE)
            found = self._size()
        else:
            number = self._begin(_SMALL_TUPLE)
            found = self._data[self.position]
            self.position += 1
        if found != length:
            raise StatsError(f"not a profile: {found} figures")
        return number

    def _key(self) -> Key:
        if self._data[self.position] == _REF:
            seen = self._referred()
            if type(seen) is not tuple:
                raise StatsError("not a profile: refers to no function")
            key: Key = seen
            return key
        return self._usual_key() or self._new_key()

    def _new_key(self) -> Key:
        number = self._tuple_of(3)
        key = self._text(), self._whole(), self._text()
        if number >= 0:
            self._seen[number] = key
        return key

    def _usual_key(self) -> Key | None:
        """Return a function in a file that was named before."""
        data, at, seen = self._data, self.position, self._seen
        if len(data) - at < _FILE_AND_LINE.size:
            return None
        t, three, r, n, i, line = _FILE_AND_LINE.unpack_from(data, at)
        flagged = t & _REF_FLAG
        if (
            t | _REF_FLAG != _SMALL_TUPLE | _REF_FLAG
            or three != 3
            or r != _REF
            or n >= len(seen)
            or type(seen[n]) is not str
        ):
            return None
        if i == _REF and 0 <= line < len(seen):
            line = seen[line]
            if type(line) is not int:
                return None
        elif i & ~_REF_FLAG != _INT:
            return None
        self.position = at + _FILE_AND_LINE.size
        if flagged:
            number = len(seen)
            seen.append(None)
        if i & _REF_FLAG:
            seen.append(line)
        key = seen[n], line, self._text()
        if flagged:
            seen[number] = key
        return key

    def _whole(self) -> int:
        value = self._number()
        if not isinstance(value, int):
            raise StatsError("not a profile: a count is no whole number")
        return value

    def _seconds(self) -> float:
        # A clock that was set back shows as a little less than nothing.
        return max(0.0, float(self._number()))

    def _number(self) -> int | float:
        code = self._data[self.position]
        if code == _REF:
            seen = self._referred()
            if not isinstance(seen, (int, float)):
                raise StatsError("not a profile: refers to no number")
            return seen
        self.position += 1
        value = self._plain_number(code & ~_REF_FLAG)
        if not math.isfinite(value) or abs(value) > _MOST:
            raise StatsError("has a number that cannot be")
        if code & _REF_FLAG:
            self._seen.append(value)
        return value

    def _plain_number(self, code: int) -> int | float:
        if code == _INT:
            (value,) = _INT32.unpack(self._take(4))
            return int(value)
        if code == _FLOAT:
            (value,) = _DOUBLE.unpack(self._take(8))
            return float(value)
        if code == _LONG:
            return self._long()
        if code == _OLD_FLOAT:
            length = self._take(1)[0]
            try:
                return float(self._take(length))
            except ValueError:
                raise StatsError("has a number that is none") from None
        raise StatsError(f"not a profile: {code:#x} where a number is due")

    def _long(self) -> int:
        (length,) = _INT32.unpack(self._take(4))
        # Digits of 15 bits; a negative length is a negative number.
        if not 0 < length <= 4:
            raise StatsError("has a number that cannot be")
        digits = struct.unpack(f"<{length}H", self._take(2 * length))
        return sum(digit << (15 * n) for n, digit in enumerate(digits))

    def _text(self) -> str:
        code = self._data[self.position]
        if code == _REF:
            seen = self._referred()
            if type(seen) is not str:
                raise StatsError("not a profile: refers to no text")
            return seen
        self.position += 1
        plain = code & ~_REF_FLAG
        if plain in _SHORT_TEXTS:
            length = self._data[self.position]
            self.position += 1
        elif plain in _ASCII_TEXTS or plain in _TEXTS:
            length = self._size()
        else:
            raise StatsError(f"not a profile: {code:#x} where text is due")
        if length > _LONGEST_TEXT:
            raise StatsError("has a name that is too long")
        text = self._take(length).decode("utf-8", "replace")
        if code & _REF_FLAG:
            self._seen.append(text)
        return text

    def _referred(self) -> Any:
        (number,) = _SIZE.unpack_from(self._data, self.position + 1)
        self.position += 1 + _SIZE.size
        return self._seen[number]

    def _size(self) -> int:
        (size,) = _SIZE.unpack(self._take(4))
        return int(size)

    def _take(self, length: int) -> bytes:
        taken = self._data[self.position : self.position + length]
        if len(taken) < length:
            raise IndexError
        self.position += length
        return taken
