# SPDX-License-Identifier: Apache-2.0
"""What the pages of many requests take from their URLs alike."""

from __future__ import annotations

from collections.abc import Mapping

from nova_profiler.web.choice import ChoiceError
from nova_profiler.web.together.adding_up import NEWEST, ORDERS

# The value of ``callers`` with which stacks have all their functions.
ALL = "all"
# What these functions read.
PARAMETERS = ("dumps", "frame", "callers")
_MOST_DIGITS = 9


def order_of(parameters: Mapping[str, str]) -> str:
    """Return which dumps to open first; raises ChoiceError."""
    order = parameters.get("dumps") or NEWEST
    if order not in ORDERS:
        raise ChoiceError(f"dumps = {order}: expected {' or '.join(ORDERS)}")
    return order


def frame_of(parameters: Mapping[str, str]) -> int:
    """Return the number of a function in stacks; 0 for what is none."""
    text = parameters.get("frame", "")
    is_number = text.isascii() and text.isdigit()
    return int(text) if is_number and len(text) <= _MOST_DIGITS else 0


def callers_of(parameters: Mapping[str, str]) -> str:
    """Return ALL, or nothing for stacks of functions that tell something."""
    return ALL if parameters.get("callers") == ALL else ""


def asked_by(order: str, frame: int, callers: str) -> dict[str, object]:
    """Return the parameters that these three are read from."""
    query: dict[str, object] = {}
    if order != NEWEST:
        query["dumps"] = order
    if frame:
        query["frame"] = frame
    if callers:
        query["callers"] = callers
    return query
