# SPDX-License-Identifier: Apache-2.0
"""The calls of a lane, each with its group and name."""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.sinks import Named
from nova_profiler.capture.sql import name_of_statement
from nova_profiler.groups import SQL

_SQL = SQL.name


def used_lanes(capture: Capture) -> list[Lane]:
    """Return the lanes of *capture* in which anything was called."""
    return [lane for lane in capture.lanes if lane.calls or lane.sql]


def named_calls(lane: Lane) -> list[Named]:
    """Return the calls of *lane*, name by name."""
    named = [
        (key.group, key.name, calls, not key.outermost, key.is_listed)
        # A copy made in one step: a late thread may still be adding names.
        for key, calls in list(lane.calls.items())
    ]
    for by_text in list(lane.sql.values()):
        for text, calls in list(by_text.items()):
            named.append((_SQL, name_of_statement(text), calls, False, True))
    return named


class NamedLanes:
    """The calls of each used lane, named once, when they are asked for.

    A sink of histograms alone asks for none, and naming takes longer than
    all that it does.
    """

    __slots__ = ("_capture", "_named")

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._named: list[list[Named]] | None = None

    def __iter__(self) -> Iterator[list[Named]]:
        """Yield the calls of each lane; raises what naming them raises."""
        named = self._named
        if named is None:
            lanes = used_lanes(self._capture)
            named = self._named = [named_calls(lane) for lane in lanes]
        return iter(named)
