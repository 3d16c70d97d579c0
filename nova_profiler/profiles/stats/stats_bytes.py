# SPDX-License-Identifier: Apache-2.0
"""The marshalled objects that a ``.prof`` is made of, read one by one.

Only numbers, texts, and the heads of dicts and tuples; what is in them is
for stats_files.py to read. An object that a file has more than once may
stand there once, with a number, and as a reference to that number later.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from nova_profiler.errors import NovaProfilerError

# A number of a file that was not made to be silly.
MOST = 1e12
_LONGEST_TEXT = 4096

REF_FLAG = 0x80
NULL, DICT, REF = ord("0"), ord("{"), ord("r")
INT, FLOAT = ord("i"), ord("g")
_LONG, _OLD_FLOAT = ord("l"), ord("f")
SMALL_TUPLE, _TUPLE = ord(")"), ord("(")
_NAMES = {DICT: "a table", SMALL_TUPLE: "a list", _TUPLE: "a list"}
_SHORT_TEXTS = frozenset(b"zZ")
_ASCII_TEXTS = frozenset(b"aA")
_TEXTS = frozenset(b"ut")

_INT32 = struct.Struct("<i")
_SIZE = struct.Struct("<I")
_DOUBLE = struct.Struct("<d")
# The length of a reference.
REF_SIZE = 1 + _SIZE.size


class StatsError(NovaProfilerError, ValueError):
    """The bytes are not a profile."""


class StatsBytes:
    """A position in the bytes, and the objects that later ones refer to.

    Raises StatsError at what is wrong, IndexError and struct.error where
    the bytes end too early.
    """

    def __init__(self, data: bytes) -> None:
        self.position = 0
        self.data = data
        # None for those that are not whole yet: none may refer to itself.
        self.seen: list[Any] = []

    def begin(self, code: int) -> int:
        """Take the code of an object; return its number, -1 for none."""
        found = self.data[self.position]
        if found & ~REF_FLAG != code:
            raise StatsError(
                f"not a profile: {found:#x} where {_NAMES[code]} is due"
            )
        self.position += 1
        if not found & REF_FLAG:
            return -1
        self.seen.append(None)
        return len(self.seen) - 1

    def keep(self, number: int, value: Any) -> None:
        """Keep *value*, which is whole, under the number of begin()."""
        if number >= 0:
            self.seen[number] = value

    def referred(self) -> Any:
        """Take a reference; return the object."""
        (number,) = _SIZE.unpack_from(self.data, self.position + 1)
        self.position += REF_SIZE
        return self.seen[number]

    def referred_tuple(self, length: int, what: str) -> Any:
        """Take a reference to a tuple of *length*, which *what* names."""
        found = self.referred()
        if type(found) is not tuple or len(found) != length:
            raise StatsError(f"not a profile: refers to no {what}")
        return found

    def begin_tuple(self, length: int) -> int:
        """Take the head of a tuple; return its number, -1 for none."""
        if self.data[self.position] & ~REF_FLAG == _TUPLE:
            number = self.begin(_TUPLE)
            found = self._size()
        else:
            number = self.begin(SMALL_TUPLE)
            found = self.data[self.position]
            self.position += 1
        if found != length:
            raise StatsError(f"not a profile: {found} figures")
        return number

    def whole(self) -> int:
        """Take a whole number."""
        value = self._number()
        if not isinstance(value, int):
            raise StatsError("not a profile: a count is no whole number")
        return value

    def seconds(self) -> float:
        """Take a time; 0 for less, as a clock that was set back shows it."""
        return max(0.0, float(self._number()))

    def text(self) -> str:
        """Take a text."""
        code = self.data[self.position]
        if code == REF:
            seen = self.referred()
            if type(seen) is not str:
                raise StatsError("not a profile: refers to no text")
            return seen
        self.position += 1
        plain = code & ~REF_FLAG
        if plain in _SHORT_TEXTS:
            length = self.data[self.position]
            self.position += 1
        elif plain in _ASCII_TEXTS or plain in _TEXTS:
            length = self._size()
        else:
            raise StatsError(f"not a profile: {code:#x} where text is due")
        if length > _LONGEST_TEXT:
            raise StatsError("has a name that is too long")
        text = self._take(length).decode("utf-8", "replace")
        if code & REF_FLAG:
            self.seen.append(text)
        return text

    def _number(self) -> int | float:
        code = self.data[self.position]
        if code == REF:
            seen = self.referred()
            if not isinstance(seen, (int, float)):
                raise StatsError("not a profile: refers to no number")
            return seen
        self.position += 1
        value = self._plain_number(code & ~REF_FLAG)
        if not math.isfinite(value) or abs(value) > MOST:
            raise StatsError("has a number that cannot be")
        if code & REF_FLAG:
            self.seen.append(value)
        return value

    def _plain_number(self, code: int) -> int | float:
        if code == INT:
            (value,) = _INT32.unpack(self._take(4))
            return int(value)
        if code == FLOAT:
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

    def _size(self) -> int:
        (size,) = _SIZE.unpack(self._take(4))
        return int(size)

    def _take(self, length: int) -> bytes:
        taken = self.data[self.position : self.position + length]
        if len(taken) < length:
            raise IndexError
        self.position += length
        return taken
