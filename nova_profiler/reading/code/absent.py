# SPDX-License-Identifier: Apache-2.0
"""Why a choice of dumps has no stacks, and what to do about it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from nova_profiler.command_name import command_name
from nova_profiler.dump_store import DumpEntry, DumpStore
from nova_profiler.profiles.loading import SUFFIXES
from nova_profiler.reading.over_services.search.absent_dumps import (
    why_no_dumps,
)
from nova_profiler.reading.screen.terminal import counted, printable
from nova_profiler.record import RequestRecord

_NO_STACKS = (
    "without stacks: the option profiler = stacks takes them, of requests "
    "that are slow or fail"
)


def gone_stacks(dump: Path, record: RequestRecord) -> str:
    """Return that stacks are gone that *record* names; empty if not so."""
    name = (record.profile or {}).get("file")
    is_there = any(
        os.path.lexists(dump.with_suffix(suffix)) for suffix in SUFFIXES
    )
    if not isinstance(name, str) or not name or is_there:
        return ""
    return f"{printable(name)}: not there, though its dump names it"


def why_none(
    store: DumpStore,
    of_route: Sequence[DumpEntry],
    fitting: Sequence[DumpEntry],
    route: str | None,
) -> str:
    """Return in one line why none of *fitting* gave a profile.

    These are the dumps that all options choose; *of_route* are chosen by
    the route alone.
    """
    if fitting:
        fit = "fits" if len(fitting) == 1 else "fit"
        return f"{counted(len(fitting), 'dump')} {fit}, {_NO_STACKS}"
    if of_route:
        began = [entry.started_at[:19].replace("T", " ") for entry in of_route]
        named = "" if route is None else f" of {route}"
        return (
            f"no dumps{named} in this time: {store.directory} has "
            f"{counted(len(of_route), 'dump')}{named}, from {min(began)} to "
            f"{max(began)} UTC"
        )
    if route is None or next(store.entries(), None) is None:
        return why_no_dumps(store)
    place = shlex.quote(str(store.directory))
    return (
        f"no dumps of {route} in {store.directory}; `{command_name()} calls "
        f"--dump-dir {place}` shows the routes that there are"
    )
