# SPDX-License-Identifier: Apache-2.0
"""Which requests are compared: both sides stand in the URL.

A parameter with ``a_`` or ``b_`` before it is of that side, one without of
both. ``split`` is the moment at which side a ends and side b begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

from nova_profiler.reading.screen.terminal import time_text
from nova_profiler.web import choice as choices
from nova_profiler.web.choice import Choice, ChoiceError, choice_of
from nova_profiler.web.rows import Row, time_of
from nova_profiler.web.tables.table import Table
from nova_profiler.web.together import asked
from nova_profiler.web.together.adding_up import NEWEST
from nova_profiler.web.together.asked import (
    asked_by,
    callers_of,
    frame_of,
    order_of,
)

# The prefix of a side's own parameters.
A, B = "a_", "b_"
DIRECTORY = "dir"
SPLIT = "split"
_SPLIT_OF = {A: "until", B: "since"}
FIELDS = (
    DIRECTORY,
    *(
        name
        for name in Choice._fields
        if name not in ("sort", "page", "min_ms", "max_ms")
    ),
)
# What is read of an address for a side, with its prefix or without one.
_OF_A_SIDE = (*FIELDS, "min_ms", "max_ms")
# The order and the page of the overview's table do no harm here.
PARAMETERS = (
    *choices.PARAMETERS,
    *asked.PARAMETERS,
    DIRECTORY,
    SPLIT,
    *(prefix + name for prefix in (A, B) for name in _OF_A_SIDE),
)


class Side(NamedTuple):
    """The requests of one side: a choice, within a directory or in all.

    ``directory`` is its number among those that are served.
    """

    choice: Choice
    directory: str = ""

    def of(self, rows: Iterable[Row]) -> Table:
        """Return those of *rows* that are of this side."""
        chosen = self.choice.of(rows)
        if self.directory:
            is_there = chosen.column("source") == int(self.directory)
            chosen = chosen.chosen(is_there)
        return chosen

    @property
    def parameters(self) -> dict[str, str]:
        """Return what it chooses by, as a URL has it without a prefix."""
        found = dict(self.choice.filters)
        if self.directory:
            found[DIRECTORY] = self.directory
        return found


class CompareView(NamedTuple):
    """The parameters of the page: the sides, and what of them is shown.

    ``order`` is which dumps are opened first; ``frame`` is the function whose
    stacks are shown, with all its ``callers`` or those that tell something.
    """

    a: Side
    b: Side
    order: str = NEWEST
    frame: int = 0
    callers: str = ""

    def link(self, **changes: object) -> str:
        """Return the query of the same view with *changes*."""
        view = self._replace(**changes)  # type: ignore[arg-type]  # by fields' names
        a, b = view.a.parameters, view.b.parameters
        query: dict[str, object] = {}
        for name in {**a, **b}:
            if a.get(name) == b.get(name):
                query[name] = a[name]
                continue
            for prefix, side in ((A, a), (B, b)):
                if name in side:
                    query[prefix + name] = side[name]
        query |= asked_by(view.order, view.frame, view.callers)
        return f"?{urlencode(query, errors='replace')}"

    def of_route(self, route: str) -> str:
        """Return the query of the same sides, of *route* alone."""
        return self.link(
            a=self.a._replace(choice=self.a.choice._replace(route=route)),
            b=self.b._replace(choice=self.b.choice._replace(route=route)),
            frame=0,
        )


def compare_view_of(
    parameters: Mapping[str, str], directories: int
) -> CompareView:
    """Return the view of a URL; raises ChoiceError for what cannot be."""
    a, b = (_side_of(parameters, prefix, directories) for prefix in (A, B))
    return CompareView(
        a,
        b,
        order_of(parameters),
        frame_of(parameters),
        callers_of(parameters),
    )


def with_default_sides(
    view: CompareView, rows: Iterable[Row], directories: int
) -> CompareView:
    """Return *view*; where both sides are the same, with ones that differ.

    The first two directories, or else the earlier half of the requests and
    the later one.
    """
    if view.a != view.b:
        return view
    if directories > 1 and not view.a.directory:
        return view._replace(
            a=view.a._replace(directory="0"), b=view.b._replace(directory="1")
        )
    moments = view.a.of(rows).column("epoch_ms")
    moments = np.sort(moments[moments != 0])
    if not len(moments):
        return view
    middle = time_of(int(moments[len(moments) // 2]))
    a, b = view.a.choice, view.b.choice
    return view._replace(
        a=view.a._replace(choice=a._replace(until=middle)),
        b=view.b._replace(choice=b._replace(since=middle)),
    )


def _side_of(
    parameters: Mapping[str, str], prefix: str, directories: int
) -> Side:
    own = {}
    for name in _OF_A_SIDE:
        text = parameters.get(prefix + name, "").strip()
        own[name] = text or parameters.get(name, "").strip()
    own[_SPLIT_OF[prefix]] = own[_SPLIT_OF[prefix]] or parameters.get(
        SPLIT, ""
    )
    directory = own.pop(DIRECTORY)
    if directory and directory not in map(str, range(directories)):
        raise ChoiceError(
            f"{DIRECTORY} = {directory}: expected 0 to {directories - 1}"
        )
    return Side(choice_of(own), directory)


def name_of(side: Side, directories: Sequence[str]) -> str:
    """Return what a side is of: its directory, route, time and the rest."""
    found = dict(side.parameters)
    words = []
    directory = found.pop(DIRECTORY, "")
    if directory:
        words.append(directories[int(directory)])
    words.append(found.pop("route", "all routes"))
    since, until = found.pop("since", ""), found.pop("until", "")
    words += [f"{name} {value}" for name, value in found.items()]
    if since:
        words.append(f"from {time_text(since)}")
    if until:
        words.append(f"until {time_text(until)}")
    return ", ".join(words)
