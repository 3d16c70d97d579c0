# SPDX-License-Identifier: Apache-2.0
"""The pages of dumps for a browser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fuzz.inputs.seeds import contents
from fuzz.readers.contracts import BrokenPromiseError, Reader

if TYPE_CHECKING:
    from nova_profiler.web.rows import Row

_DAY = "2026-11-28"
_NAME = "224932.249-202ms-GET-unmatched-6ec84648.json"
_HOST = "http://localhost:7775"


def read_served(data: bytes, folder: Path) -> None:
    """Ask the pages of a directory in which *data* is a dump."""
    from webob import Request

    from nova_profiler.web.mounting import pages_of

    dump = folder / _DAY / _NAME
    dump.parent.mkdir(exist_ok=True)
    dump.write_bytes(data)
    pages = pages_of([str(folder)], ["localhost"], "", 1000.0, is_kept=False)
    # What its thread does.
    index = pages.index
    index.start = lambda: None  # type: ignore[method-assign]  # no thread
    index.look_up_names()
    index.read_heads()
    for path in ("/", "/compare", *_addresses(index.rows)):
        for kind in ("text/html", "application/json"):
            request = Request.blank(path, base_url=_HOST, accept=kind)
            answer = request.get_response(pages)
            if answer.status_int >= 500:
                raise BrokenPromiseError(f"{path}: {answer.status}")
            if b"<script" in answer.body.replace(_OWN, b"").lower():
                raise BrokenPromiseError(f"{path}: a script")


def _addresses(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the addresses of each request's pages, and of its route's."""
    for row in rows:
        for part in ("", "?call=0&calls=all", "/lines", "/as/speedscope"):
            yield f"/requests/{row.key}{part}"
        yield f"/route?route={quote(row.title, errors='replace')}"


# The script of the pages themselves.
_OWN = b'<script type="module" src="/scripts/start.js">'
# Half of a character, which no address can have.
_FINDS = (rb'{"schema": 1, "method": "\ud800", "route": "\udfff"}',)

SERVED = Reader(
    read_served, contents("*-GET-*.json"), finds=_FINDS, is_json=True
)
