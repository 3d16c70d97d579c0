# SPDX-License-Identifier: Apache-2.0
"""What of a request its page shows, and what the page is part of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.requests.one_request.flame_boxes import ALL
from nova_profiler.reading.requests.one_request.page_parts.standing import (
    Standing,
)
from nova_profiler.reading.requests.one_request.waterfall import Span


class View(NamedTuple):
    """What of a request is looked at; a file that stands alone has all.

    ``span`` is the part of its time, ``call`` the place of a call in the
    timeline that is shown with all that is known of it. ``frame`` is the
    function whose stacks are shown, ``find`` what is searched for in them,
    ``time`` which time they are of. Libraries are folded unless
    ``all_libraries``, or where something is searched for.
    """

    span: Span | None = None
    frame: int = 0
    find: str = ""
    all_calls: bool = False
    call: int | None = None
    all_libraries: bool = False
    time: str = ALL

    @property
    def is_folded(self) -> bool:
        """Return whether the functions of a library are one box."""
        return not self.all_libraries and not self.find

    def link(self, **changes: object) -> str:
        """Return the query of the same view with *changes*."""
        view = self._replace(**changes)  # type: ignore[arg-type]  # by fields' names
        query: dict[str, object] = {}
        if view.span is not None:
            query["from_ms"] = f"{view.span.start_ms:.3f}"
            query["to_ms"] = f"{view.span.end_ms:.3f}"
        if view.call is not None:
            query["call"] = view.call
        if view.frame:
            query["frame"] = view.frame
        if view.find:
            query["find"] = view.find
        if view.time:
            query["time"] = view.time
        if view.all_libraries:
            query["libraries"] = "all"
        if view.all_calls:
            query["calls"] = "all"
        return f"?{urlencode(query, errors='replace')}"


class Link(NamedTuple):
    """An address, and the words that lead there."""

    url: str
    words: str


class Around(NamedTuple):
    """The records of a request in all services, as far as they are known.

    ``own`` is the place of the page's own record in *picture*; ``links`` are
    the pages of records, by their places.
    """

    picture: Picture
    own: int | None = None
    links: dict[int, str] = {}  # never changed
    notes: Sequence[str] = ()


class Surroundings(NamedTuple):
    """What a page is part of: *home* is empty for a file alone.

    ``places`` are other pages about the request, ``downloads`` what it can be
    had as, ``script`` is the address of the page's script.
    """

    home: str = ""
    places: Sequence[Link] = ()
    downloads: Sequence[Link] = ()
    # What some of these files have no room for.
    left_out: Sequence[str] = ()
    # Where the request's lines in logs are; empty without logs.
    lines: str = ""
    standing: Standing | None = None
    services: Around | None = None
    script: str = ""
    # The dump directory that other commands are given to find the request.
    dump_dir: str = ""
