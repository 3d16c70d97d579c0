# SPDX-License-Identifier: Apache-2.0
"""Finds the profiles of a command: files, dumps, directories, a choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import click

from nova_profiler.dump_store import (
    DumpEntry,
    DumpError,
    DumpStore,
    read_dump,
)
from nova_profiler.dump_store.names import entry_of
from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles.loading import SUFFIXES, beside
from nova_profiler.reading.code.absent import gone_stacks, why_none
from nova_profiler.reading.command_line.kind_option import WantedKind
from nova_profiler.reading.command_line.options import store_of
from nova_profiler.reading.command_line.route_option import meant_names
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services.search.absent_dumps import (
    why_not_here,
)
from nova_profiler.reading.record_words import profile_notes
from nova_profiler.reading.screen.terminal import printable
from nova_profiler.trust.files import without_links

_LINK = "a link; name the file itself to have it read"
_MOST_LOOKED_AT = 100_000
_IS_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


class Side(NamedTuple):
    """One side of a comparison: profiles, and dumps that have none."""

    profiles: list[Path]
    bare: list[Path]


class ProfileChoice:
    """Finds profiles; looks for the dump directory only where it must."""

    def __init__(
        self,
        dump_dir: str | None,
        config_file: str | None,
        skipped: Skipped,
        kind: WantedKind | None = None,
        *,
        takes_bare: bool = False,
    ) -> None:
        """Of directories take dumps of *kind*, or of any without one.

        With *takes_bare* a dump stands for itself where no profile lies
        beside it.
        """
        self._takes_bare = takes_bare
        self._kind = WantedKind() if kind is None else kind
        self._skipped = skipped
        self._dump_dir = dump_dir
        self._config_file = config_file

    def chosen(
        self,
        names: Sequence[str],
        route: str | None,
        since: str | None,
        last: int | None,
        until: str | None = None,
    ) -> list[Path]:
        """Return the profiles that *names* mean, without names those of dumps.

        Raises click.UsageError where names and a choice of dumps are given.
        """
        if not names:
            return self.of_dumps(route, since, last, until)
        if (route, since, last, until) != (None, None, None, None):
            raise click.UsageError(
                "--route, --since, --until and --last choose dumps; leave "
                "them out where profiles are named"
            )
        return self.of_all(names)

    def of_dumps(
        self,
        route: str | None = None,
        since: str | None = None,
        last: int | None = None,
        until: str | None = None,
    ) -> list[Path]:
        """Return the profiles of the newest of the chosen dumps."""
        store = store_of(self._dump_dir, self._config_file)
        foreign: list[str] = []
        entries = self._chosen(store.entries(foreign, since), route, until)
        found = list(islice(self._of_each(entries), last))
        self._skipped.add_foreign(foreign)
        return found

    def why_none(
        self,
        route: str | None = None,
        since: str | None = None,
        before: str | None = None,
    ) -> str:
        """Return in one line why the dumps of a choice gave no profile."""
        store = store_of(self._dump_dir, self._config_file)
        entries = self._chosen(store.entries(), route)
        of_route = list(islice(entries, _MOST_LOOKED_AT))
        fitting = [
            entry
            for entry in of_route
            if (since is None or entry.started_at >= since)
            and (before is None or entry.started_at < before)
        ]
        return why_none(store, of_route, fitting, route)

    def side_of_dumps(
        self,
        route: str | None,
        since: str | None = None,
        before: str | None = None,
    ) -> Side:
        """Return the profiles of the chosen dumps, and the dumps without."""
        store = store_of(self._dump_dir, self._config_file)
        foreign: list[str] = []
        entries = self._chosen(store.entries(foreign, since), route, before)
        side = _parted(entries)
        self._skipped.add_foreign(foreign)
        return side

    def side_of(self, text: str) -> Side:
        """Return the profiles that *text* names, and the dumps without."""
        path = without_links(Path(text))
        if not path.is_dir():
            return Side(self.of(text), [])
        profiles = self._of_directory(path)
        if profiles[0].parent == path:
            dumps = sorted(filter(self._is_named, path.glob("*.json")))
            bare = [dump for dump in dumps if beside(dump) is None]
            return Side(profiles, bare)
        return _parted(self._chosen(DumpStore(path).entries()))

    def of(self, text: str) -> list[Path]:
        """Return the profiles that *text* names: one, or a directory's."""
        path = without_links(Path(text))
        if path.is_dir():
            return self._of_directory(path)
        if path.suffix in SUFFIXES:
            return [path]
        if path.is_file() and self._dump_dir is None:
            # A dump from elsewhere needs no dump directory.
            return [self._of_dump(DumpStore(".").find(text))]
        store = store_of(self._dump_dir, self._config_file)
        return [self._of_dump(store.find(text))]

    def of_all(self, texts: Sequence[str]) -> list[Path]:
        """Return the profiles that any of *texts* names."""
        return [path for text in texts for path in self.of(text)]

    def _of_directory(self, path: Path) -> list[Path]:
        files = []
        for one in path.iterdir():
            if one.suffix not in SUFFIXES or not self._is_named(one):
                continue
            if one.is_symlink():
                self._skipped.add(f"{one.name}: {_LINK}")
            else:
                files.append(one)
        has_days = any(path.glob(_IS_DAY))
        if not files and has_days:
            entries = self._chosen(DumpStore(path).entries())
            files = list(self._of_each(entries))
        if not files:
            below = "" if has_days else why_not_here(str(path), option="")
            why = self._kind.about_others or "no profiles in it"
            raise NovaProfilerError(below or f"{path}: {why}")
        return sorted(files)

    def _of_dump(self, entry: DumpEntry) -> Path:
        if self._takes_bare:
            return beside(entry.path) or entry.path
        return profile_of(entry)

    def _of_each(self, entries: Iterable[DumpEntry]) -> Iterator[Path]:
        for entry in entries:
            path = beside(entry.path)
            if path is not None:
                yield path
            elif self._takes_bare:
                yield entry.path

    def _chosen(
        self,
        entries: Iterable[DumpEntry],
        route: str | None = None,
        before: str | None = None,
    ) -> Iterator[DumpEntry]:
        is_wanted = meant_names(route)
        for entry in entries:
            if before is not None and entry.started_at >= before:
                continue
            if is_wanted(
                entry.route_name, entry.method
            ) and self._kind.has_method(entry.method):
                yield entry

    def _is_named(self, path: Path) -> bool:
        """Return whether *path* is of the kind, or has no dump's name."""
        entry = entry_of("", "", path.stem)
        return entry is None or self._kind.has_method(entry.method)


def profile_of(entry: DumpEntry) -> Path:
    """Return the profile that belongs to a dump, or raise DumpError."""
    path = beside(entry.path)
    if path is None:
        raise DumpError(
            f"{entry.stem}: no stacks beside this dump; {_why_bare(entry)}"
        )
    return path


def _why_bare(entry: DumpEntry) -> str:
    """Return what the dump says of its missing stacks, or what takes them."""
    remedy = "the option profiler takes them"
    try:
        record = read_dump(entry.path)
    except DumpError:
        return remedy
    gone = gone_stacks(entry.path, record)
    return gone or printable("; ".join(profile_notes(record))) or remedy


def _parted(entries: Iterable[DumpEntry]) -> Side:
    side = Side([], [])
    for entry in entries:
        path = beside(entry.path)
        if path is None:
            side.bare.append(entry.path)
        else:
            side.profiles.append(path)
    return side
