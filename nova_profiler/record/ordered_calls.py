# SPDX-License-Identifier: Apache-2.0
"""Calls in the order in which they began, as capture hands them on."""

from __future__ import annotations

from typing import NamedTuple


class CallWords(NamedTuple):
    """What several calls have in common: all but their times.

    The fields are those of ``TimelineEntry``.
    """

    group: str
    name: str
    lane: int = 0
    rows: int | None = None
    error: str | None = None
    nested: bool = False
    statement: int | None = None
    request_id: str | None = None
    made_by: str | None = None


class OrderedCalls(NamedTuple):
    """Calls in the order in which they began, a parent before its children.

    ``times`` has a start, the negative of an end, and a place in ``words``
    for each call: sorted like that, the outer one of two that began at once
    comes first. They are seconds of a clock that showed ``started`` when
    what made the calls began. ``parents`` has the place in ``times`` of the
    call around each, -1 where there is none.
    """

    started: float
    words: list[CallWords]
    times: list[tuple[float, float, int]]
    parents: list[int]
