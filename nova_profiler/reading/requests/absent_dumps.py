# SPDX-License-Identifier: Apache-2.0
"""Why there is no dump to show, and what to do about it."""

from __future__ import annotations

from itertools import islice

from nova_profiler.dump_store import DumpStore

_MOST_COUNTED = 100_000

NONE_YET = (
    "dump_when sets which requests get one, without it slow and failed ones: "
    "dump_when = all keeps each, slow_ms sets what is slow"
)


def why_no_dumps(store: DumpStore, what: str = "dumps") -> str:
    """Return in one sentence why no dump of *store* was found.

    Either there are none at all, or the options choose none of those that
    there are. Raises DumpError where the directory cannot be read.
    """
    there = sum(1 for _ in islice(store.entries(), _MOST_COUNTED))
    if not there:
        return f"no dumps in {store.directory} yet; {NONE_YET}"
    number = f"{there} or more" if there == _MOST_COUNTED else f"{there}"
    words = "is 1, which does" if there == 1 else f"are {number}, which do"
    return (
        f"no such {what} in {store.directory}: there {words} not fit the "
        f"options"
    )
