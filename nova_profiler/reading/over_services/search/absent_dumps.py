# SPDX-License-Identifier: Apache-2.0
"""Why there is no dump to show, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import islice

from nova_profiler.dump_store import DumpStore
from nova_profiler.reading.over_services.search.places import dump_directories

_MOST_COUNTED = 100_000

NONE_YET = (
    "dump_when sets which requests get one, without it slow and failed ones: "
    "dump_when = all keeps each, slow_ms sets what is slow"
)


def why_no_dumps(
    store: DumpStore, what: str = "dumps", damaged: int = 0
) -> str:
    """Return a sentence for a command that found no *what* to show.

    Either there are none at all, or they are in a folder below, or the
    options choose none of those that there are, whose range it names, or they
    are *damaged*. Raises DumpError where the directory cannot be read.
    """
    there = [
        (entry.duration_ms, entry.started_at)
        for entry in islice(store.entries(), _MOST_COUNTED)
    ]
    if not there:
        return none_at_all(str(store.directory))
    if damaged >= len(there):
        # Only here: it takes a good part of a short run.
        from nova_profiler.reading.screen.terminal import counted

        return (
            f"no {what} in {store.directory} that can be read: "
            f"{counted(damaged, 'damaged dump')}"
        )
    if damaged:
        return (
            f"no such {what} in {store.directory}: of {len(there)} dumps "
            f"{damaged} cannot be read, and the others do not fit the "
            f"options: {_range_of(there)}"
        )
    number = f"{len(there)}"
    if len(there) == _MOST_COUNTED:
        number += " or more"
    words = "is 1, which does" if number == "1" else f"are {number}, which do"
    return (
        f"no such {what} in {store.directory}: there {words} not fit the "
        f"options: {_range_of(there)}"
    )


def none_at_all(directory: str) -> str:
    """Return that *directory* has no dumps, and what to do about it."""
    below = why_not_here(directory)
    return below or f"no dumps in {directory} yet; {NONE_YET}"


def why_not_here(directory: str, option: str = "--dump-dir ") -> str:
    """Return that the dumps are in a folder below; empty if none is there.

    For a *directory* that has none itself. *option* stands before the folder
    in what the user is asked to give.
    """
    found = dump_directories([directory], [], are_some=False)
    below = [path for path in found if path != directory]
    if not below:
        return ""
    return (
        f"no dumps in {directory} itself, but below it: give {option}"
        f"{shlex.quote(below[0])}"
    )


def _range_of(dumps: Sequence[tuple[int, str]]) -> str:
    """Return of *dumps*, durations and begins, the range in words."""
    took, began = zip(*dumps, strict=True)
    if len(dumps) == 1:
        return f"it took {took[0]} ms, at {_second(began[0])} UTC"
    return (
        f"they took {min(took)} to {max(took)} ms, from "
        f"{_second(min(began))} to {_second(max(began))} UTC"
    )


def _second(started_at: str) -> str:
    return started_at[:19].replace("T", " ")
