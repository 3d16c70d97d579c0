# SPDX-License-Identifier: Apache-2.0
"""The pages over a directory of dumps, asked without a server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from webob import Request, Response

from nova_profiler.dump_store import DumpStore
from nova_profiler.web.application import Pages
from nova_profiler.web.guard import Guard
from nova_profiler.web.index import Index
from nova_profiler.web.tables.sources import places_of


class StillIndex(Index):
    """An index without a thread: what is there when it is made."""

    def start(self) -> None:
        """Leave it as it is."""


def still_index(*directories: Path, **more: Any) -> Index:
    """Return the index of all that is in *directories* now."""
    index = StillIndex([DumpStore(one) for one in directories], **more)
    index.look_up_names()
    index.read_heads()
    return index


def pages_over(
    *directories: Path,
    token: str = "",
    hosts: Iterable[str] = (),
    logs: Iterable[Path] = (),
) -> Pages:
    """Return the pages over *directories* and *logs*; a second is slow."""
    more = places_of([str(one) for one in logs], None, ()).others
    index = still_index(*directories, more=more)
    return Pages(index, Guard(hosts, token), 1000.0)


def pages_over_logs(*paths: Path) -> Pages:
    """Return the pages over logs and histories, all read; nothing is kept."""
    places = places_of([str(path) for path in paths])
    index = StillIndex(places.stores, more=places.others)
    index.look_up_names()
    index.read_heads()
    return Pages(index, Guard([], ""), 1000.0)


def asked(pages: Pages, url: str, **headers: str) -> Response:
    """Return the answer to a GET of *url*, a path with its query."""
    request = Request.blank(url, base_url="http://localhost:7775")
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    return request.get_response(pages)
