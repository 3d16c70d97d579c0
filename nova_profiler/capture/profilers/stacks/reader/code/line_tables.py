# SPDX-License-Identifier: Apache-2.0
"""Lines of code by instruction, from the tables that code objects have.

3.10's table (PEP 626) has pairs of bytes: over how many bytes of
instructions it goes on, and by how many lines it goes forward. From 3.11 on
(PEP 657) each entry begins with a byte whose upper bit is set: its kind, and
over how many instructions it goes; the line follows for some kinds.
"""

from __future__ import annotations

# Bytes of an instruction.
_UNIT = 2
_NO_LINE_310 = -128
_NO_LINE, _LONG, _NO_COLUMNS = 15, 14, 13
# Kinds from here on have the line in themselves; those below have none.
_ONE_LINE = 10


def line_310(table: bytes, first_line: int, index: int) -> int:
    """Return the line of instruction number *index*, 0 if it has none."""
    offset, at, line = index * _UNIT, 0, first_line
    for n in range(0, len(table) - 1, 2):
        forward = int.from_bytes(table[n + 1 : n + 2], "little", signed=True)
        if forward != _NO_LINE_310:
            line += forward
        at += table[n]
        if offset < at:
            return 0 if forward == _NO_LINE_310 else line
    return 0


def line_311(table: bytes, first_line: int, offset: int) -> int:
    """Return the line of the instruction at *offset*, 0 if it has none."""
    at, n, line = 0, 0, first_line
    while n < len(table):
        kind = table[n] >> 3 & 15
        at += ((table[n] & 7) + 1) * _UNIT
        if kind in (_LONG, _NO_COLUMNS):
            line += _signed(table, n + 1)
        elif _ONE_LINE <= kind < _NO_COLUMNS:
            line += kind - _ONE_LINE
        if offset < at:
            return 0 if kind == _NO_LINE else line
        n += 1
        while n < len(table) and not table[n] & 128:
            n += 1
    return 0


def _signed(table: bytes, n: int) -> int:
    """Return the number at *n*: six bits a byte, the lowest is its sign."""
    value = shift = 0
    while n < len(table):
        value |= (table[n] & 63) << shift
        shift += 6
        if not table[n] & 64:
            break
        n += 1
    return -(value >> 1) if value & 1 else value >> 1
