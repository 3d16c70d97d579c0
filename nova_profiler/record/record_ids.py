# SPDX-License-Identifier: Apache-2.0
"""Ids of records: unique over processes and hosts, and nearly free.

A process draws a random number once and counts on from there; a forked one
draws its own.
"""

from __future__ import annotations

import os
import re
from itertools import count

# As a record has it: 16 lower-case hexadecimal digits.
RECORD_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)

_MASK = 2**64 - 1
_numbers = count()


def new_record_id() -> str:
    """Return an id that no other record has."""
    # "%" takes half as long as format(); next() needs no lock.
    return "%016x" % (next(_numbers) & _MASK)


def _draw() -> None:
    """Begin at a number that no other process counts from."""
    global _numbers
    _numbers = count(int.from_bytes(os.urandom(8), "big"))


_draw()
# A child would count on from where its parent is.
os.register_at_fork(after_in_child=_draw)
