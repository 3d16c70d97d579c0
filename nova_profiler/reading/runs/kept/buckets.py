# SPDX-License-Identifier: Apache-2.0
"""Runs in an object store, in the same layout as in a directory.

An object store has no rename and no locks. So the manifest is written last
and removed first: a run is there as a whole once its manifest is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from nova_profiler.command_name import command_name
from nova_profiler.errors import NovaProfilerError, missing_extra
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.runs.kept.engines import first_line
from nova_profiler.reading.runs.kept.kept_runs import KeptRuns
from nova_profiler.reading.runs.kept.run import (
    FOLDER_PREFIX,
    LARGEST_MANIFEST,
    MANIFEST,
    HistoryError,
    Run,
    checked_name,
    name_of_folder,
    run_of_manifest,
)
from nova_profiler.reading.runs.kept.store import History

# Engines read these letters as patterns, and each by rules of its own.
_PATTERN = re.compile(r"[*\[\]{}\\]")
# A scheme, a bucket and a prefix; neither a user with a password nor a query.
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^\s@?#]*[^\s@?#/]")


class Bucket:
    """Runs kept below a URL that fsspec opens: ``s3://bucket/prefix``.

    Any method raises HistoryError for what the store refuses.
    """

    def __init__(self, url: str) -> None:
        """Raises HistoryError for a URL that has more than a place."""
        if _URL.fullmatch(url) is None:
            raise HistoryError(
                "a history's URL is scheme://bucket/prefix alone; what the "
                "store asks for besides is taken from its own environment "
                "variables and files"
            )
        if _PATTERN.search(url) is not None:
            raise HistoryError(
                f"{url}: engines read * ? [ ] {{ }} and \\ in a place as a "
                "pattern; move the history below a prefix without them"
            )
        self.directory = url

    @cached_property
    def files(self) -> Any:
        """Return the file system of fsspec, with a cache of its listings."""
        with self._refused():
            return self._opened[0]

    def runs(self, unreadable: list[str] | None = None) -> list[Run]:
        """Return the runs, oldest first.

        *unreadable* gets a line about each run that cannot be read.
        """
        names = self.names()
        if not names:
            raise HistoryError(
                f"{self.directory}: no such history; keep a run first with "
                f"`{command_name()} history add`"
            )
        runs = []
        for name, found in zip(names, self._manifests(names), strict=True):
            try:
                runs.append(self._run_of(name, found))
            except HistoryError as exc:
                if unreadable is not None:
                    unreadable.append(str(exc))
        return sorted(runs, key=lambda run: run.sort_key)

    def names(self) -> list[str]:
        """Return the names of all runs, also of those that cannot be read."""
        return sorted(self._listed)

    def has(self, name: str) -> bool:
        """Return whether a run is kept under *name*."""
        return name in self._listed

    def run(self, name: str) -> Run:
        """Return the run *name*."""
        if not self.has(checked_name(name)):
            raise HistoryError(self._not_there(name))
        (found,) = self._manifests([name])
        return self._run_of(name, found)

    def add(
        self,
        name: str,
        entries: Iterable[AccessEntry],
        sources: Sequence[str] = (),
        *,
        replace: bool = False,
    ) -> tuple[Run, int]:
        """Keep *entries* as the run *name*; see ``KeptRuns.add``."""
        if replace:
            raise HistoryError(
                f"{self.directory}: an object store cannot replace a run at "
                f"once; `{command_name()} history remove "
                f"{checked_name(name)}` first"
            )
        if self.has(checked_name(name)):
            if MANIFEST not in self._listed[name]:
                raise HistoryError(
                    f"run {name}: its upload was broken off; "
                    f"`{command_name()} history remove {name}` first"
                )
            raise HistoryError(
                f"run {name}: is kept already; give another name"
            )
        with TemporaryDirectory(prefix="nova-profiler-") as aside:
            run, uncounted = History(aside).add(name, entries, sources)
            folder = Path(aside, f"{FOLDER_PREFIX}{name}")
            with self._refused():
                for file in (*run.parts, MANIFEST):
                    self.files.put_file(
                        str(folder / file), self._path(name, file)
                    )
        self._forget()
        return run, uncounted

    def remove(self, name: str) -> None:
        """Remove the run *name*, also one that cannot be read."""
        if not self.has(checked_name(name)):
            raise HistoryError(self._not_there(name))
        with self._refused():
            files = self._listed[name]
            # From then on it is no run, whatever becomes of the rest.
            if MANIFEST in files:
                self.files.rm_file(self._path(name, MANIFEST))
            for file in files - {MANIFEST}:
                self.files.rm_file(self._path(name, file))
        self._forget()

    @cached_property
    def _listed(self) -> dict[str, frozenset[str]]:
        """Return the files of each run, by its name, from one listing."""
        found: dict[str, set[str]] = {}
        with self._refused():
            for path in self.files.find(self._opened[1]):
                file = PurePosixPath(path)
                is_run = str(file.parent.parent) == self._root
                name = name_of_folder(Path(file.parent)) if is_run else None
                if name is not None:
                    found.setdefault(name, set()).add(file.name)
        return {name: frozenset(files) for name, files in found.items()}

    def _manifests(self, names: Sequence[str]) -> list[object]:
        """Return the manifest of each, no more than is read; or an error."""
        paths = [self._path(name, MANIFEST) for name in names]
        number = len(paths)
        with self._refused():
            found: list[object] = self.files.cat_ranges(
                paths,
                [0] * number,
                [LARGEST_MANIFEST + 1] * number,
                on_error="return",
            )
        return found

    def _forget(self) -> None:
        self.__dict__.pop("_listed", None)
        self.files.invalidate_cache()

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        opened: tuple[Any, str] = url_to_fs(self.directory)
        return opened

    @property
    def _root(self) -> str:
        return str(PurePosixPath(self._opened[1]))

    def _path(self, name: str, file: str) -> str:
        return f"{self._root}/{FOLDER_PREFIX}{name}/{file}"

    def _run_of(self, name: str, manifest: object) -> Run:
        if not isinstance(manifest, bytes):
            raise HistoryError(f"run {name}: has no {MANIFEST}")
        if len(manifest) > LARGEST_MANIFEST:
            raise HistoryError(f"run {name}: {MANIFEST} is too large")
        return run_of_manifest(
            name, manifest, self._listed.get(name, frozenset()).__contains__
        )

    def _not_there(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"run {name}: not in {self.directory}{hint}"

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """Raise HistoryError for what the store or its package raises."""
        try:
            yield
        except NovaProfilerError:
            raise
        except ImportError as exc:
            what = f"{self.directory}: {first_line(exc)}"
            if self.directory.startswith("s3") or exc.name == "fsspec":
                raise missing_extra(what, "buckets") from exc
            # fsspec names the package of any other store.
            raise HistoryError(what) from exc
        except Exception as exc:
            # Each store has error classes of its own.
            raise HistoryError(f"{self.directory}: {first_line(exc)}") from exc


def history_at(place: Path | str) -> KeptRuns:
    """Return the runs kept in a directory or below a URL."""
    return Bucket(place) if isinstance(place, str) else History(place)
