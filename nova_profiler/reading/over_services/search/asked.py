# SPDX-License-Identifier: Apache-2.0
"""Which request a person means: by an id, the start of one, a dump's name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from nova_profiler.command_name import command_name
from nova_profiler.dump_store import DumpEntry, DumpError, name_of_id
from nova_profiler.dump_store.names import is_stem
from nova_profiler.dump_store.reading import NAMED_IN_ERRORS, record_of_json
from nova_profiler.reading.logs.files.sources import Source
from nova_profiler.reading.over_services.search.budget import Budget
from nova_profiler.reading.over_services.search.dumps import (
    bytes_of_entry,
    entries_with_id,
    entry_with_stem,
    record_of_bytes,
)
from nova_profiler.reading.over_services.search.finding import lines_with
from nova_profiler.reading.screen.terminal import counted
from nova_profiler.record import RecordError

# Dumps that are opened to see whether one has the whole of an id.
_MOST_OPENED = 10_000
# Bytes: a shorter text is in most lines of a log.
_SHORTEST = 4


class Asked(NamedTuple):
    """A request by its id, or a dump of one without an id or alone."""

    request_id: str | None
    entry: DumpEntry | None = None


def asked_for(
    text: str, directories: Sequence[str], sources: Sequence[Source] = ()
) -> Asked:
    """Return the request that *text* means.

    Raises DumpError for a text that several begin with, or none.
    """
    if is_stem(text):
        entry = entry_with_stem(directories, text)
        if entry is not None:
            return Asked(None, entry)
    # As another program may print an id.
    for form in dict.fromkeys((text, text.lower())):
        found = _in_dumps(form, directories) or _in_lines(form, sources)
        if found is not None:
            return found
    noun = "record" if sources else "dump"
    remedy = _remedy(text, directories, sources)
    raise DumpError(
        f"no {noun} of {text!r} in {_where(directories, sources)}; {remedy}"
    )


def _remedy(
    text: str, directories: Sequence[str], sources: Sequence[Source]
) -> str:
    """Return the command that tells more: of logs, ``list`` reads none."""
    if sources and not directories and sources[0].path is not None:
        what = f"{shlex.quote(text)} {shlex.quote(sources[0].path)}"
        return f"`{command_name()} follow {what}` shows all lines about it"
    place = f" --dump-dir {shlex.quote(directories[0])}" if directories else ""
    return f"`{command_name()} list{place}` shows what there is"


def _in_dumps(text: str, directories: Sequence[str]) -> Asked | None:
    """Return what the names of dumps have, and their ids if *text* is long.

    Raises DumpError for several, and where too much would have to be read.
    """
    budget = Budget()
    start = name_of_id(text)
    is_longer = len(text.removeprefix("req-")) > len(start)
    first: DumpEntry | None = None
    for entry in islice(entries_with_id(directories, [text]), _MOST_OPENED):
        if first is not None and first.id_prefix != entry.id_prefix:
            raise DumpError(
                f"{text!r} begins {first.id_prefix} and {entry.id_prefix}; "
                f"give more of the id"
            )
        if first is None or is_longer:
            if budget.is_spent:
                raise DumpError(
                    f"the dumps whose names begin as {text!r} does are too "
                    f"large to look into; give the name of one, such as "
                    f"{entry.stem}"
                )
            request_id = _id_in(entry, budget)
            if not is_longer or _begins_with(request_id, text):
                first = entry
                if is_longer or request_id is None:
                    return Asked(request_id, entry)
    return None if first is None else Asked(_id_in(first, budget), first)


def _id_in(entry: DumpEntry, budget: Budget) -> str | None:
    """Return the request id that *entry* holds, None where it has none."""
    try:
        text = bytes_of_entry(entry)
        budget.spend(len(text))
        return record_of_bytes(entry, text).request_id
    except DumpError:
        return None


def _begins_with(request_id: str | None, text: str) -> bool:
    whole = (request_id or "").removeprefix("req-")
    return whole.startswith(text.removeprefix("req-"))


def _in_lines(text: str, sources: Sequence[Source]) -> Asked | None:
    """Return the only id of log lines that begins with *text*.

    Raises DumpError for several.
    """
    bare = text.removeprefix("req-").encode("utf-8", "replace")
    if len(bare) < _SHORTEST:
        return None
    ids: set[str] = set()
    for source in sources:
        for line in lines_with(source, [bare]):
            try:
                record = record_of_json(line)
            except RecordError:
                continue
            for one in (record.request_id, record.global_request_id):
                if _begins_with(one, text):
                    ids.add(one or "")
            if len(ids) > NAMED_IN_ERRORS:
                break
    if len(ids) > 1:
        some = ", ".join(sorted(ids)[:NAMED_IN_ERRORS])
        raise DumpError(f"{text!r} begins {some}; give more of the id")
    return Asked(min(ids)) if ids else None


def _where(directories: Sequence[str], sources: Sequence[Source]) -> str:
    if len(directories) == 1 and not sources:
        return directories[0]
    counts = []
    if directories:
        noun = "directory" if len(directories) == 1 else "directories"
        counts.append(f"{len(directories)} dump {noun}")
    if sources:
        counts.append(counted(len(sources), "log"))
    return " and ".join(counts) or os.curdir
