# SPDX-License-Identifier: Apache-2.0
"""One request from its files: its record, its stacks, both as JSON."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nova_profiler.dump_store import DumpEntry, DumpStore
from nova_profiler.profiles import ProfileError
from nova_profiler.profiles.loading import Profile, beside, load
from nova_profiler.profiles.pending import give_up, why_lost
from nova_profiler.reading.advice.adding_up import advice_on
from nova_profiler.reading.code.absent import gone_stacks
from nova_profiler.reading.code.hot_path import figures_of
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.requests.one_request.figures import lanes_of
from nova_profiler.reading.screen.terminal import bytes_text
from nova_profiler.record import RequestRecord

# Those of a long request are a few MiB. A page with more keeps others waiting.
MOST_STACKS = 16 * 1024 * 1024
# Of what called each other, for a page: a long request has some thousands.
# What is made for a page grows with them, and others wait meanwhile.
MOST_FUNCTIONS = 60_000


def record_in(store: DumpStore, entry: DumpEntry) -> RequestRecord:
    """Return the record of *entry*, which promises no stacks in vain.

    Raises DumpError.
    """
    record = store.read(entry)
    if why_lost(record) is not None:
        # The last that its worker did may have been to write them.
        record = store.read(entry)
        why = why_lost(record)
        if why is not None:
            give_up(record, why)
    return record


def profile_beside(
    dump: Path,
    skipped: Skipped,
    most_bytes: float = math.inf,
    record: RequestRecord | None = None,
) -> Profile | None:
    """Return the stacks beside *dump*.

    *skipped* notes damaged ones, those of more than *most_bytes*, and ones
    that are gone, which the *record* in the dump names. More than
    MOST_FUNCTIONS functions are cut, which ``notes_of`` has.
    """
    path = beside(dump)
    if path is None:
        gone = "" if record is None else gone_stacks(dump, record)
        if gone:
            skipped.add(gone)
        return None
    try:
        size = path.stat().st_size
        if size > most_bytes:
            skipped.add(
                f"{path.name}: its {bytes_text(size)} of stacks are too many "
                f"for a page; nova-profiler top and export read them"
            )
            return None
        return load(path, MOST_FUNCTIONS)
    except OSError as exc:
        skipped.add(f"{path.name}: {exc.strerror}")
        return None
    except ProfileError as exc:
        skipped.add(str(exc))
        return None


def json_fields(
    dump: Path | None, record: RequestRecord, profile: Profile | None
) -> dict[str, Any]:
    """Return all that is known of a request, ready for JSON.

    *dump* is None for a record that is a line of a log.
    """
    fields = record.to_dict()
    fields["file"] = None if dump is None else str(dump)
    fields["advice"] = advice_on(record)
    if profile is not None:
        fields["stacks"] = figures_of(
            profile,
            duration_ms=record.duration_ms,
            lanes=len(lanes_of(record)),
        )
    return fields
