# SPDX-License-Identifier: Apache-2.0
"""What code objects are called, read once and checked once a second.

A code object may be freed and another one take its place. Each is compared
with what it was when its name was read; of one that is no longer the same,
the samples since the check before may be another function's.
"""

from __future__ import annotations

import struct
from sys import intern

from nova_profiler.capture.profilers.stacks.layouts import (
    BYTES_CONTENT,
    BYTES_LENGTH,
    OBJECT_TYPE,
    TEXT_LENGTH,
    TEXT_STATE,
    Layout,
)
from nova_profiler.capture.profilers.stacks.reader.memory import (
    Memory,
    Places,
)

# Past this all names are forgotten, and read anew as they come up.
_MOST = 20_000
_MOST_TEXT = 4096
_MOST_LINES = 1 << 16
# How many code objects are compared in one copy.
_AT_ONCE = 500
_ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}


class Code:
    """What is known of one code object."""

    __slots__ = ("file", "first_line", "is_sure", "lines", "name", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.name = self.file = "?"
        self.first_line = 0
        self.lines = b""
        # Not once another function was found in its place.
        self.is_sure = True


class Names:
    """The code objects of one process, by address."""

    def __init__(self, memory: Memory, layout: Layout, kind: int) -> None:
        """*kind* is the address of the type of code objects."""
        self._memory = memory
        self._layout = layout
        self._kind = kind
        self._known: dict[int, Code] = {}
        fields = (
            layout.code_first_line,
            layout.code_file,
            layout.code_name,
            layout.code_lines,
        )
        self._from, self._size = min(fields), max(fields) + 8
        self._places = Places(memory.pid, _AT_ONCE * self._size, _AT_ONCE)

    def of(self, address: int) -> Code | None:
        """Return the code object at *address*, None if there is none."""
        code = self._known.get(address)
        if code is None:
            code = self._read(address)
            if code is not None:
                self._known[address] = code
        return code

    def _read(self, address: int) -> Code | None:
        raw = self._memory.content(address, self._size)
        if len(raw) < self._size or _word(raw, OBJECT_TYPE) != self._kind:
            return None
        layout, code = self._layout, Code(raw)
        code.first_line = struct.unpack_from(
            "<i", raw, layout.code_first_line
        )[0]
        code.name = self._text(_word(raw, layout.code_name))
        # The functions of a module share it.
        code.file = intern(self._text(_word(raw, layout.code_file)))
        lines = _word(raw, layout.code_lines)
        size = self._memory.word(lines + BYTES_LENGTH)
        if size <= _MOST_LINES:
            code.lines = self._memory.content(lines + BYTES_CONTENT, size)
        return code

    def _text(self, address: int) -> str:
        """Return the text at *address*, ``?`` where there is none."""
        layout = self._layout
        head = self._memory.content(address, TEXT_STATE + 8)
        if len(head) < TEXT_STATE + 8:
            return "?"
        length = _word(head, TEXT_LENGTH)
        state = struct.unpack_from("<I", head, TEXT_STATE)[0]
        width, is_compact, is_ascii = (
            state >> 2 & 7,
            state >> 5 & 1,
            state >> 6 & 1,
        )
        encoding = _ENCODINGS.get(width)
        if length > _MOST_TEXT or not is_compact or encoding is None:
            return "?"
        start = layout.text_ascii if is_ascii else layout.text_other
        raw = self._memory.content(address + start, length * width)
        return raw.decode(encoding, "replace")

    def verify(self) -> set[int]:
        """Return the addresses of what is no longer what it was.

        Those are forgotten, and marked where they are in use.
        """
        changed: set[int] = set()
        known = list(self._known)
        for start in range(0, len(known), _AT_ONCE):
            changed.update(self._changed(known[start : start + _AT_ONCE]))
        for address in changed:
            self._known.pop(address).is_sure = False
        return changed

    @property
    def is_full(self) -> bool:
        """Return whether there are more than are to be kept in mind."""
        return len(self._known) > _MOST

    def forget(self) -> None:
        """Read all anew as they come up; nothing known may stay in use."""
        self._known.clear()

    def _changed(self, addresses: list[int]) -> list[int]:
        places, size = self._places, self._size
        places.clear()
        for n, address in enumerate(addresses):
            places.add(address, size, n * size)
        got = places.read()
        found = []
        for n, address in enumerate(addresses):
            raw = bytes(places.view[n * size : (n + 1) * size])
            if got < (n + 1) * size:
                # One before it is not mapped any more: each alone, then.
                raw = self._memory.content(address, size)
            before = self._known[address].raw
            # What a code object counts of itself changes all the time.
            if raw[self._from :] != before[self._from :] or (
                raw[OBJECT_TYPE : OBJECT_TYPE + 8]
                != before[OBJECT_TYPE : OBJECT_TYPE + 8]
            ):
                found.append(address)
        return found


def _word(raw: bytes, offset: int) -> int:
    return int(struct.unpack_from("<Q", raw, offset)[0])
