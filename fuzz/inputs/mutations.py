# SPDX-License-Identifier: Apache-2.0
"""Inputs near those that a reader knows: bytes and JSON, changed a little."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

# What readers of any form may stumble over.
_BYTES = (
    b"", b"\0", b"\xff", b"\xfe\xff", b"\n", b"\r\n", b"\x1b[31m", b"\x9b2J",
    b" ", b"\t", b"-", b"0", b"9" * 30, b"1e999", b"-1", b"NaN", b"\\", b'"',
    b"'", b"[", b"]", b"{", b"}", b"(", b")", b"%", b"$", b"=", b":", b"/",
    b"../", b"/dev/zero", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"\xf0\x9f\x92\xa9",
)  # fmt: skip
_LONGEST = 60_000
_MOST_CHANGES = 6
_COUNTS = (1, 1, 1, 2, 7, 300, 5_000)

# What may stand in JSON where something else is expected.
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e15, 1e16, -1e308, 2**63,
    10**400, float("inf"), float("nan"), "", "a", "\0", "\x1b]0;x\x07",
    "\u202e", "\ud800", "=1+1", "x" * 5_000, "../../etc/passwd",
    "2026-11-21T10:35:01.123+00:00", "9999-99-99T99:99:99", [], {}, [[]],
    [None] * 100, {"": None}, {"a": {}},
)  # fmt: skip
# JSON that no value of Python is written as.
_TEXTS = (
    (r"Infinity", "1e999"),
    (r"\[\]", "[" * 3_000 + "]" * 3_000),
    (r"null", "[" * 900 + "]" * 900),
    (r"\{\}", '{"a":' * 2_000 + "0" + "}" * 2_000),
    (r'"schema"', '"schema": 1, "schema"'),
)

# Makes an input; all that it chooses is chosen by the argument.
Maker = Callable[[Random], bytes]


def made_by(maker: Maker) -> st.SearchStrategy[bytes]:
    """Return the inputs of *maker*.

    One draw for each: hypothesis would take milliseconds for the many small
    choices of a change, and a reader takes less.
    """
    # What is found is made again by its seed.
    return st.integers(0, 2**64).map(lambda seed: maker(Random(seed)))


def near(
    seeds: tuple[bytes, ...],
    pieces: tuple[bytes, ...] = (),
    *,
    is_json: bool = False,
) -> Maker:
    """Return what makes inputs near *seeds*, which a reader knows.

    *pieces* are words of the form that is read.
    """

    def maker(chance: Random) -> bytes:
        if is_json and chance.random() < 0.7:
            return _changed_json(chance, chance.choice(seeds))
        data = chance.choice(seeds)
        for _ in range(chance.randrange(1, _MOST_CHANGES)):
            data = _changed(chance, data, seeds, pieces)[:_LONGEST]
        return data

    return maker


def _changed(
    chance: Random,
    data: bytes,
    seeds: tuple[bytes, ...],
    pieces: tuple[bytes, ...],
) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 1, 4, 40)))
    how = chance.randrange(6)
    if how == 0 and data:
        # A bit of one byte.
        at = min(start, len(data) - 1)
        flipped = bytes((data[at] ^ (1 << chance.randrange(8)),))
        return data[:at] + flipped + data[at + 1 :]
    if how == 1:
        new = chance.randbytes(chance.randrange(12))
        return data[:start] + new + data[end:]
    if how == 2:
        piece = chance.choice(pieces + _BYTES)
        return data[:start] + piece * chance.choice(_COUNTS) + data[end:]
    if how == 3:
        # A part again, and again.
        again = data[start:end] * chance.choice(_COUNTS)
        return data[:end] + again + data[end:]
    if how == 4:
        other = chance.choice(seeds)
        return data[:start] + other[chance.randrange(len(other) + 1) :]
    return data[:start] if chance.random() < 0.5 else data[start:]


def _changed_json(chance: Random, seed: bytes) -> bytes:
    """Return *seed*, which is JSON, with some values changed."""
    root = [json.loads(seed)]
    for _ in range(chance.randrange(1, 4)):
        _change_a_value(chance, root)
    text = json.dumps(root[0])
    for pattern, written in _TEXTS:
        if chance.random() < 0.3:
            # None of the texts has a backslash, which sub() would read.
            text = re.sub(pattern, written, text, count=2)
    return text.encode()


def _change_a_value(chance: Random, root: list[Any]) -> None:
    """Change what stands somewhere below *root*."""
    holder: Any = root
    key: Any = 0
    while True:
        value = holder[key]
        keys = _keys_of(value)
        if not keys or (holder is not root and chance.random() < 0.25):
            break
        holder, key = value, chance.choice(keys)
    how = chance.randrange(6)
    if how == 0 and holder is not root:
        del holder[key]
    elif how == 1 and isinstance(holder, dict):
        holder[f"{chance.choice(_VALUES)!s:.60}"] = holder.pop(key)
    elif how == 2 and isinstance(holder, list) and holder is not root:
        holder.extend([holder[key]] * chance.choice(_COUNTS[:-1]))
    else:
        # A copy: the next change may be inside it.
        holder[key] = json.loads(json.dumps(chance.choice(_VALUES)))


def _keys_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []
