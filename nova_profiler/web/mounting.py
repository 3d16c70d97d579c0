# SPDX-License-Identifier: Apache-2.0
"""Puts the pages together, for the command and for paste."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from nova_profiler.errors import NovaProfilerError, missing_extra

if TYPE_CHECKING:
    from nova_profiler.web.application import Pages


def pages_of(
    paths: Sequence[str],
    hosts: Iterable[str],
    token: str,
    slow_ms: float,
    local: tzinfo | None = None,
    stated: tuple[str, ...] = (),
    is_kept: bool = True,
) -> Pages:
    """Return the pages of the dumps, logs and histories at *paths*.

    *local* and *stated* are the zone and the formats of logs. What was read
    is kept for another start where *is_kept*. Raises
    NovaProfilerError where an extra is not installed, and for a path that
    leads to nothing.
    """
    try:
        from nova_profiler.web.application import Pages
        from nova_profiler.web.guard import Guard
        from nova_profiler.web.index import Index
        from nova_profiler.web.tables.kept import Keeper, folder_of_user
        from nova_profiler.web.tables.sources import places_of
    except ImportError as exc:
        raise missing_extra(f"pages need {exc.name}", "web") from exc
    places = places_of(paths, local, stated)
    keeper = Keeper(folder_of_user() if is_kept else None)
    index = Index(places.stores, more=places.others, keeper=keeper)
    return Pages(index, Guard(hosts, token), slow_ms)


def mounted(
    dump_dir: str, hosts: Iterable[str], token: str, slow_ms: str
) -> Pages:
    """Return the pages that options of paste describe."""
    if not dump_dir:
        raise NovaProfilerError(
            "nova_profiler.web: dump_dir is not set; give the section of the "
            "pages a dump_dir"
        )
    return pages_of([os.fspath(dump_dir)], hosts, token, _number(slow_ms))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise NovaProfilerError(
            f"nova_profiler.web: slow_ms = {text!r}: expected a number of "
            f"milliseconds above 0"
        )
    return number
