# SPDX-License-Identifier: Apache-2.0
"""The dump directory as capture fills it and readers see it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Iterator
from functools import partial
from heapq import merge
from itertools import islice
from pathlib import Path

from nova_profiler.command_name import command_name
from nova_profiler.dump_store.locks import Without
from nova_profiler.dump_store.names import (
    DUMP_SUFFIX,
    DumpEntry,
    is_ahead,
    name_of_dump,
    name_of_id,
)
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.publication import Publication
from nova_profiler.dump_store.reading import (
    NAMED_IN_ERRORS,
    DumpError,
    entries_of,
    entry_of_path,
    loose_entries,
    read_dump,
)
from nova_profiler.dump_store.retention import (
    Limits,
    Pruned,
    Retention,
)
from nova_profiler.dump_store.running import trace_entries
from nova_profiler.errors import with_path
from nova_profiler.record import RequestRecord

_NO_DIRECTORY = (
    "has nova-api been started with this dump_dir? The first dump makes it: "
    "of a request that is slow or fails, or of any with dump_when = all"
)


def unlisted(directory: str | os.PathLike[str], error: OSError) -> DumpError:
    """Return the error for a dump directory that *error* keeps from us."""
    why = error.strerror
    if isinstance(error, FileNotFoundError):
        why = f"no such directory; {_NO_DIRECTORY}"
    return DumpError(f"{os.fspath(directory)}: {why}")


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
        without_lock: Without = lambda error: None,
    ) -> None:
        """*without_lock* gets the error of a system that grants no lock."""
        self.directory = Path(directory)
        self._most_bytes = int(max_mb * 1024 * 1024)
        self._opening = Directory(directory)
        self._retention = Retention(
            Limits(max_files, self._most_bytes, max_age_hours * 3600),
            lambda error: without_lock(
                with_path(error, self.directory, "; dumps go on without")
            ),
        )

    def write(self, record: RequestRecord) -> Path:
        """Write *record* whole or not at all. May raise OSError.

        It is an UntrustedFolder where the directory is not ours alone. What
        ``record.profiled`` attaches is kept beside it, now or later.
        """
        day, stem = name_of_dump(record)
        publication = Publication(
            self._opening, day, stem, self._retention, self._most_bytes
        )
        publication.publish(record)
        return self.directory / day / (publication.stem + DUMP_SUFFIX)

    def prune(self, *, dry_run: bool = False) -> Pruned:
        """Apply the limits now and return what was removed, oldest first.

        Root may do so for the user whose directory it is. Raises OSError, an
        UntrustedFolder where others may write to it as well.
        """
        try:
            with self._opening.opened_for_command() as opened:
                return self._retention.prune(opened, dry_run=dry_run)
        except FileNotFoundError:
            return Pruned([], [])

    def entries(
        self, foreign: list[str] | None = None, since: str | None = None
    ) -> Iterator[DumpEntry]:
        """Yield the dumps, newest first, without opening any.

        Those of *since* and later; what is dated in the future comes last.
        The traces of requests whose worker was killed are among them. The
        names of files that are no dumps are added to *foreign*.
        """
        if foreign is None:
            foreign = []
        order = partial(_order_of, time.time())
        others = [entry for entry, _ in trace_entries(self.directory, foreign)]
        others += loose_entries(self.directory)
        if since is not None:
            others = [one for one in others if one.started_at >= since]
        others.sort(key=order, reverse=True)
        try:
            yield from merge(
                entries_of(self.directory, foreign, since),
                others,
                key=order,
                reverse=True,
            )
        except OSError as exc:
            raise unlisted(self.directory, exc) from exc

    def find(self, text: str) -> DumpEntry:
        """Return the dump that *text* means.

        A request id, the start of one, a dump's stem or its path. Raises
        DumpError where it means none, or several.
        """
        if "/" in text or text.endswith(DUMP_SUFFIX):
            for path in (Path(text), self.directory / text):
                if path.is_file():
                    return entry_of_path(path)
            raise DumpError(f"{text}: no such file")
        found = [entry for entry in self.entries() if entry.stem == text]
        if not found:
            most = NAMED_IN_ERRORS + 1
            found = list(islice(self._with_id(text), most)) or list(
                # As another program may print an id.
                islice(self._with_id(text.lower()), most)
            )
        if not found:
            place = shlex.quote(str(self.directory))
            raise DumpError(
                f"no dump of {text!r} in {self.directory}; "
                f"`{command_name()} list --dump-dir {place}` shows what there "
                f"is"
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


def _order_of(now: float, entry: DumpEntry) -> tuple[bool, str]:
    """Return what is greater for what is newer; the future is oldest."""
    return not is_ahead(entry, now), entry.started_at


def _named(entries: Iterable[DumpEntry]) -> str:
    stems = [entry.stem for entry in entries]
    more = " and more" if len(stems) > NAMED_IN_ERRORS else ""
    return ", ".join(stems[:NAMED_IN_ERRORS]) + more
