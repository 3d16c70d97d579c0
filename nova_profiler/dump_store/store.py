# SPDX-License-Identifier: Apache-2.0
"""The dump directory as capture fills it and readers see it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from pathlib import Path

from nova_profiler.dump_store.names import (
    DUMP_SUFFIX,
    DumpEntry,
    name_of_dump,
    name_of_id,
)
from nova_profiler.dump_store.publication import Publication
from nova_profiler.dump_store.reading import (
    DumpError,
    entries_of,
    entry_of_path,
    read_dump,
)
from nova_profiler.dump_store.retention import (
    Limits,
    Retention,
    StoredDump,
)
from nova_profiler.dump_store.running import trace_entries
from nova_profiler.dump_store.writing import claim
from nova_profiler.record import RequestRecord

_NAMED_IN_ERRORS = 3


class DumpStore:
    """One file per dumped request under *directory*.

    The limits count dumps with their companion files; 0 is no limit. They
    hold across all processes that write to the directory.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        max_files: int = 0,
        max_mb: float = 0,
        max_age_hours: float = 0,
    ) -> None:
        self.directory = Path(directory)
        self._most_bytes = int(max_mb * 1024 * 1024)
        self._retention = Retention(
            self.directory,
            Limits(max_files, self._most_bytes, max_age_hours * 3600),
        )

    def write(self, record: RequestRecord) -> Path:
        """Write *record* whole or not at all. May raise OSError.

        What ``record.profiled`` attaches is kept beside it, now or later.
        """
        day, stem = name_of_dump(record)
        aside, path = claim(self.directory, day, stem)
        Publication(aside, path, self._retention, self._most_bytes).publish(
            record
        )
        return path

    def prune(self, *, dry_run: bool = False) -> list[StoredDump]:
        """Apply the limits now and return what was removed, oldest first."""
        return self._retention.prune(dry_run=dry_run)

    def entries(self, foreign: list[str] | None = None) -> Iterator[DumpEntry]:
        """Yield the dumps, newest first, without opening any.

        The traces of requests whose worker was killed are among them. The
        names of files that are no dumps are added to *foreign*.
        """
        if foreign is None:
            foreign = []
        traces = [entry for entry, _ in trace_entries(self.directory, foreign)]
        traces.sort(key=_started_at, reverse=True)
        try:
            yield from merge(
                entries_of(self.directory, foreign),
                traces,
                key=_started_at,
                reverse=True,
            )
        except FileNotFoundError:
            raise DumpError(
                f"{self.directory}: no such directory; has nova-api been "
                f"started with this dump_dir?"
            ) from None
        except OSError as exc:
            raise DumpError(f"{self.directory}: {exc.strerror}") from exc

    def find(self, text: str) -> DumpEntry:
        """Return the dump that *text* means.

        A request id, the start of one, a dump's stem or its path.
        """
        if "/" in text or text.endswith(DUMP_SUFFIX):
            for path in (Path(text), self.directory / text):
                if path.is_file():
                    return entry_of_path(path)
            raise DumpError(f"{text}: no such file")
        found = [entry for entry in self.entries() if entry.stem == text]
        if not found:
            found = list(islice(self._with_id(text), _NAMED_IN_ERRORS + 1))
        if not found:
            raise DumpError(
                f"no dump of {text!r} in {self.directory}; "
                f"`nova-profiler list` shows what there is"
            )
        if len(found) > 1:
            raise DumpError(f"{text!r} is in {_named(found)}; give one")
        return found[0]

    def read(self, entry: DumpEntry) -> RequestRecord:
        """Return the record of *entry*, or raise DumpError."""
        return read_dump(entry.path)

    def _with_id(self, text: str) -> Iterator[DumpEntry]:
        in_name = name_of_id(text)
        longer = len(text.removeprefix("req-")) > len(in_name)
        for entry in self.entries():
            if not in_name or not entry.id_prefix.startswith(in_name):
                continue
            # The name has but the start of the id; the file has all of it.
            if longer and not self._has_id(entry, text):
                continue
            yield entry

    def _has_id(self, entry: DumpEntry, text: str) -> bool:
        try:
            request_id = self.read(entry).request_id or ""
        except DumpError:
            return False
        return request_id.removeprefix("req-").startswith(
            text.removeprefix("req-")
        )


def _started_at(entry: DumpEntry) -> str:
    return entry.started_at


def _named(entries: Iterable[DumpEntry]) -> str:
    stems = [entry.stem for entry in entries]
    more = " and more" if len(stems) > _NAMED_IN_ERRORS else ""
    return ", ".join(stems[:_NAMED_IN_ERRORS]) + more
