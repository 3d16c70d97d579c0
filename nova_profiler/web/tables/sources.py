# SPDX-License-Identifier: Apache-2.0
"""What a path has: dumps, logs, a history, or some of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store.names import is_day, is_of_dump
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.over_services.search.places import dump_directories
from nova_profiler.web.tables import Source
from nova_profiler.web.tables.histories import HistorySource
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.logs import LogSource
from nova_profiler.web.tables.names import Names

_RUN = "run="

# Makes a source by its number in keys.
MakeSource = Callable[[int, Names, Keeper], Source]


class Places(NamedTuple):
    """The dump directories, and what makes the sources besides."""

    stores: list[DumpStore]
    others: list[MakeSource]


class _Kinds(NamedTuple):
    """The paths of each kind of source."""

    dumps: list[str]
    logs: list[str]
    histories: list[str]


def places_of(
    paths: Iterable[str],
    local: tzinfo | None = None,
    stated: tuple[str, ...] = (),
) -> Places:
    """Return what *paths* have, each once.

    The logs of a folder are one source, and so are the files that are named:
    in them a request is looked for once, whatever files have its line.
    *local* and *stated* are the zone and the formats of logs. Raises
    NovaProfilerError for a path that leads to nothing.
    """
    dumps: dict[str, None] = {}
    histories: dict[str, None] = {}
    # By the folder that they are found in, None for those that are named.
    logs: dict[str | None, list[str]] = {}
    named = list(dict.fromkeys(paths))
    known: set[str] = set()
    for path in named:
        kinds = _kinds_of(path)
        dumps.update(dict.fromkeys(kinds.dumps))
        histories.update(dict.fromkeys(kinds.histories))
        for log in kinds.logs:
            if log not in known:
                known.add(log)
                folder = None if log in named else path
                logs.setdefault(folder, []).append(log)
    return Places(
        [DumpStore(path) for path in dumps],
        [
            *(
                partial(
                    _log,
                    paths=some,
                    local=local,
                    stated=stated,
                    folder=folder,
                )
                for folder, some in logs.items()
            ),
            *(partial(_history, path=path) for path in histories),
        ],
    )


def _kinds_of(path: str) -> _Kinds:
    if not os.path.isdir(path):
        if not os.path.exists(path) and not glob.has_magic(path):
            raise NovaProfilerError(
                f"{path}: no such file or directory; has nova-api been "
                f"started with this dump_dir?"
            )
        return _Kinds([], [path], [])
    try:
        names = sorted(os.listdir(path))
    except OSError as exc:
        raise NovaProfilerError(f"{path}: {exc.strerror}") from exc
    if any(is_day(name) or is_of_dump(name) for name in names):
        return _Kinds([path], [], [])
    if any(name.startswith(_RUN) for name in names):
        return _Kinds([], [], [path])
    dumps = dump_directories([path], [], are_some=False)
    logs = [
        below
        for name in names
        if not name.startswith(".")
        and not _has_any(below := os.path.join(path, name), dumps)
        and _may_be_log(below)
    ]
    # A folder without anything is one for dumps that are to come.
    return _Kinds(dumps if dumps or logs else [path], logs, [])


def _has_any(path: str, dumps: Iterable[str]) -> bool:
    return any(Path(one).is_relative_to(path) for one in dumps)


def _may_be_log(path: str) -> bool:
    """Return whether *path* is a file, or a folder with one."""
    if not os.path.isdir(path) or os.path.islink(path):
        return os.path.isfile(path)
    return any(files for _, _, files in os.walk(path))


def _log(
    number: int,
    names: Names,
    keeper: Keeper,
    paths: list[str],
    local: tzinfo | None,
    stated: tuple[str, ...],
    folder: str | None,
) -> Source:
    return LogSource(
        number, paths, names, keeper, local, stated, folder=folder
    )


def _history(number: int, names: Names, keeper: Keeper, path: str) -> Source:
    return HistorySource(number, path, names, keeper)
