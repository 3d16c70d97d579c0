# SPDX-License-Identifier: Apache-2.0
"""What pages do beside links: zoom, live, keys. They need none of it."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

_FOLDER = "/scripts/"
_ENDING = ".js"


def start_of(home: str) -> str:
    """Return the address of the one that a page names; it imports others.

    *home* is the overview's address, which ends in a slash.
    """
    return f"{home}scripts/start.js"


def script_at(path: str) -> bytes | None:
    """Return the script at *path* below the pages; None where none is."""
    folder, found, name = path.partition(_FOLDER)
    return _scripts().get(name) if found and not folder else None


@lru_cache(maxsize=1)
def _scripts() -> dict[str, bytes]:
    """Return every script by its name; a path of a client opens nothing."""
    return {
        place.name: place.read_bytes()
        for place in resources.files(__name__).iterdir()
        if place.name.endswith(_ENDING)
    }
