# SPDX-License-Identifier: Apache-2.0
"""Dump directories in a folder, or in a folder of those of many hosts."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nova_profiler.dump_store.names import is_day, is_of_dump

# A copied tree has host, var, lib, nova, profiler; more is no such tree.
_DEEPEST = 8
_MOST_FOLDERS = 20_000


def dump_directories(
    folders: Iterable[str], left_out: list[str], *, are_some: bool = True
) -> list[str]:
    """Return the dump directories among *folders* and below them, once each.

    With *are_some* a folder without any is one that has no dumps yet. Links
    are not followed: a stranger may have made a copied tree. *left_out* gets
    what could not be looked into.
    """
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        below = _below(folder, seen, left_out)
        found.extend(below or ([folder] if are_some else []))
    return list(dict.fromkeys(found))


def _below(
    folder: str, seen: set[tuple[int, int]], left_out: list[str]
) -> list[str]:
    found = []
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        if len(seen) >= _MOST_FOLDERS:
            left_out.append(f"{path}: more than {_MOST_FOLDERS} folders")
            break
        try:
            known = os.stat(path, follow_symlinks=depth == 0)
            if (known.st_dev, known.st_ino) in seen:
                continue
            seen.add((known.st_dev, known.st_ino))
            names = _folders_in(path)
        except OSError as exc:
            if depth:
                left_out.append(f"{path}: {exc.strerror or exc}")
            continue
        if any(map(is_day, names)) or _has_loose(path):
            found.append(path)
        if depth < _DEEPEST:
            waiting.extend(
                (os.path.join(path, name), depth + 1)
                for name in sorted(names, reverse=True)
                if not is_day(name)
            )
    return found


def _has_loose(path: str) -> bool:
    """Return whether there are dumps without the folder of a day."""
    return any(is_of_dump(name) for name in os.listdir(path))


def _folders_in(path: str) -> list[str]:
    with os.scandir(path) as found:
        return [
            item.name
            for item in found
            if not item.name.startswith(".")
            and item.is_dir(follow_symlinks=False)
        ]
