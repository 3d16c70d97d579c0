# SPDX-License-Identifier: Apache-2.0
"""The history directory: runs are added and removed atomically."""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    suppress,
)
from datetime import datetime, timezone
from itertools import repeat
from pathlib import Path

from nova_profiler import __version__
from nova_profiler.command_name import command_name
from nova_profiler.dump_store.locks import DIRECTORY, locked
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.runs.kept.run import (
    HistoryError,
    Run,
    checked_name,
    folder_of,
    iso_utc,
    name_of_folder,
    read_run,
    write_manifest,
)
from nova_profiler.reading.runs.kept.schema import SCHEMA
from nova_profiler.reading.runs.kept.writing import PartWriter, Written

# Names of runs on their way in or out: no engine and no glob sees them.
_ADDING = ".adding-"
_REPLACED = ".replaced-"
_REMOVED = ".removed-"
_MOST_SOURCES = 1000
# Between two tries to get a lock that another process holds.
_RETRY_S = 0.02


class History:
    """Runs kept under *directory*, each in a folder ``run=NAME``.

    A run is written aside and then renamed, so that no reader sees half of
    one. A process that dies leaves its files aside. The next command
    removes them, or puts the old run back if the new one had not yet taken
    its place.

    Some network file systems cannot lock a directory. Runs are whole
    without the lock, too; only the files of dead processes then stay.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory).absolute()

    def runs(self, unreadable: list[str] | None = None) -> list[Run]:
        """Return the runs, oldest first.

        *unreadable* gets a line about each run that cannot be read.
        """
        if not self.directory.is_dir():
            raise HistoryError(
                f"{self.directory}: no such history; keep a run first with "
                f"`{command_name()} history add`"
            )
        runs = []
        for name in self.names():
            try:
                runs.append(read_run(folder_of(self.directory, name)))
            except HistoryError as exc:
                if unreadable is not None:
                    unreadable.append(str(exc))
        return sorted(runs, key=lambda run: run.sort_key)

    def names(self) -> list[str]:
        """Return the names of all runs, also of those that cannot be read."""
        if not self.directory.is_dir():
            return []
        self._tidy()
        found = map(name_of_folder, self.directory.iterdir())
        return sorted(name for name in found if name is not None)

    def has(self, name: str) -> bool:
        """Return whether a run is kept under *name*."""
        if self.directory.is_dir():
            self._tidy()
        return folder_of(self.directory, name).is_dir()

    def run(self, name: str) -> Run:
        """Return the run *name*."""
        if not self.has(checked_name(name)):
            raise HistoryError(self._not_there(name))
        return read_run(folder_of(self.directory, name))

    def add(
        self,
        name: str,
        entries: Iterable[AccessEntry],
        sources: Sequence[str] = (),
        *,
        replace: bool = False,
    ) -> tuple[Run, int]:
        """Keep *entries* as the run *name*.

        Returns the run, and how many entries were left out because their
        time cannot be counted.
        """
        self._refuse_second(checked_name(name), replace)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy()
        with self._aside(name) as aside:
            written = PartWriter(aside).write(entries)
            if not written.requests:
                raise HistoryError(
                    f"run {name}: no request in these logs; nothing is kept"
                )
            run = _run_of(name, written, sources)
            write_manifest(aside, run)
            with _locked(self.directory):
                self._refuse_second(name, replace)
                self._put(aside, name)
        return run, written.uncounted

    def remove(self, name: str) -> None:
        """Remove the run *name*, also one that cannot be read."""
        folder = folder_of(self.directory, checked_name(name))
        # A dangling link is a run, too: it can be removed.
        if not self.has(name) and not os.path.lexists(folder):
            raise HistoryError(self._not_there(name))
        gone = self.directory / f"{_REMOVED}{secrets.token_hex(8)}"
        with _locked(self.directory):
            folder.rename(gone)
        _delete(gone)

    def _refuse_second(self, name: str, replace: bool) -> None:
        if not replace and folder_of(self.directory, name).exists():
            raise HistoryError(
                f"run {name}: is kept already; give --replace or another name"
            )

    def _not_there(self, name: str) -> str:
        names = [run.name for run in self.runs()]
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"run {name}: not in {self.directory}{hint}"

    @contextmanager
    def _aside(self, name: str) -> Iterator[Path]:
        aside = self.directory / f"{_ADDING}{name}-{secrets.token_hex(8)}"
        with ExitStack() as stack:
            # The outer lock keeps _tidy() away until the inner one shows
            # that the writer of this run is alive.
            with _locked(self.directory):
                # Before it is there: a signal may come in between.
                stack.callback(shutil.rmtree, aside, ignore_errors=True)
                aside.mkdir(mode=0o700)
                stack.enter_context(_locked(aside))
            yield aside

    def _put(self, aside: Path, name: str) -> None:
        folder = folder_of(self.directory, name)
        old = self.directory / f"{_REPLACED}{name}"
        if folder.exists():
            with suppress(OSError):
                _delete(old)
            folder.rename(old)
        aside.rename(folder)
        with suppress(OSError):
            _sync(self.directory)
        with suppress(OSError):
            _delete(old)

    def _tidy(self) -> None:
        """Remove what dead processes left, put back the runs they took."""
        if not any(_is_aside(path) for path in self.directory.iterdir()):
            return
        with _locked_at_once(self.directory) as lock:
            if lock is None:
                return
            for path in list(self.directory.iterdir()):
                # A reader may be allowed to remove some of them, or none.
                with suppress(OSError):
                    self._tidy_one(path)

    def _tidy_one(self, path: Path) -> None:
        if path.name.startswith(_REPLACED):
            folder = folder_of(
                self.directory, path.name.removeprefix(_REPLACED)
            )
            if not folder.exists():
                path.rename(folder)
                return
        elif path.name.startswith(_ADDING):
            with _locked_at_once(path) as lock:
                if lock is not None:
                    _delete(path)
            return
        elif not path.name.startswith(_REMOVED):
            return
        _delete(path)


def _locked(directory: Path) -> AbstractContextManager[int | None]:
    return locked(directory, DIRECTORY, repeat(_RETRY_S))


def _locked_at_once(directory: Path) -> AbstractContextManager[int | None]:
    return locked(directory, DIRECTORY, ())


def _delete(path: Path) -> None:
    """Delete a folder or a link, never the target of a link."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _is_aside(path: Path) -> bool:
    return path.name.startswith((_ADDING, _REPLACED, _REMOVED))


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _run_of(name: str, written: Written, sources: Sequence[str]) -> Run:
    return Run(
        name=name,
        schema=SCHEMA,
        added_at=iso_utc(datetime.now(timezone.utc)),
        first_at=written.first_at,
        last_at=written.last_at,
        requests=written.requests,
        bytes=written.bytes,
        parts=written.parts,
        sources=tuple(sources[:_MOST_SOURCES]),
        version=__version__,
    )
