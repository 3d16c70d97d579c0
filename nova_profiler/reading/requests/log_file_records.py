# SPDX-License-Identifier: Apache-2.0
"""Reads the records in logs that the option log_file made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from nova_profiler.command_name import command_name
from nova_profiler.dump_store import record_of_json
from nova_profiler.dump_store.reading import NOT_JSON
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.progress import log_progress
from nova_profiler.reading.command_line.skipped import Skipped, first_kind
from nova_profiler.reading.logs.files.blocks import LONGEST_LINE, blocks_of
from nova_profiler.reading.logs.files.sources import Source, sources_of
from nova_profiler.reading.logs.unread import Unread, no_files_in
from nova_profiler.record import RecordError, RequestRecord


def records_of_logs(
    paths: Sequence[str], skipped: Skipped
) -> Iterator[RequestRecord]:
    """Yield the record of each line; *skipped* notes other lines.

    *paths* are files, folders, globs and ``-``, compressed or not. Raises
    NovaProfilerError if none of them holds a record.
    """
    unread = Unread()
    sources = sources_of(paths, unread)
    is_any = False
    with log_progress(sources, "reading logs") as progress:
        for source in sources:
            blocks = blocks_of(source, unread, progress.advance)
            for record in _records_of(source, blocks, skipped):
                is_any = True
                yield record
    if not is_any:
        why = first_kind(unread) or _hinted(skipped.first)
        if why:
            raise NovaProfilerError(f"no records found; {why}")
        if not sources:
            raise NovaProfilerError(no_files_in(paths))
        raise NovaProfilerError("no records found; the logs are empty")
    skipped.add_unread(unread)


def _hinted(why: str) -> str:
    """Return *why*, with what reads other logs if these seem to be such."""
    if NOT_JSON not in why:
        return why
    return (
        f"{why}; this reads what log_file wrote; for logs of nova: "
        f"`{command_name()} report`"
    )


def _records_of(
    source: Source, blocks: Iterator[bytes], skipped: Skipped
) -> Iterator[RequestRecord]:
    label = os.path.basename(source.name)
    for number, line in enumerate(_lines_of(blocks), 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE:
                raise RecordError("too long for a record")
            yield record_of_json(line)
        except RecordError as exc:
            skipped.add(f"{label}:{number}: {exc}")


def _lines_of(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield from block.removesuffix(b"\n").split(b"\n")
