# SPDX-License-Identifier: Apache-2.0
"""Rows kept between starts, in the user's cache directory.

A file of numpy for each source. It is made of others' names, and a damaged
one, one of another version or of another user is not read: the rows are made
anew then.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from nova_profiler import __version__
from nova_profiler.dump_store import DumpEntry
from nova_profiler.trust.folders import opened_folder
from nova_profiler.web.rows import place_of
from nova_profiler.web.tables.columns import (
    IDS,
    KINDS,
    STATES,
    TEXTS,
    Arrays,
    Columns,
    are_times,
)
from nova_profiler.web.tables.names import Names

# Another number for each change of what is kept.
_FORMAT = 3
_LARGEST_BYTES = 1 << 30
_MOST_BYTES = 2 << 30
_MOST_FILES = 100
_SUFFIX = ".npz"
_ABOUT = "about"
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class KeptRows(NamedTuple):
    """Rows from an earlier start; ``numbers`` are theirs by place."""

    arrays: Arrays
    numbers: dict[str, int]

    def is_of(self, number: int, stamp: tuple[int, int]) -> bool:
        """Return whether a row is of the file that has *stamp*.

        That is its inode, and its time of change in nanoseconds.
        """
        inode, changed_ns = self.arrays["inode"], self.arrays["changed_ns"]
        return bool((inode[number], changed_ns[number]) == stamp)


class Keeper:
    """The files of kept rows; without a *folder* nothing is kept.

    What goes wrong costs the rows of an earlier start, and nothing else.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    def rows(
        self, name: str, names: Names, stamp: str = ""
    ) -> KeptRows | None:
        """Return what was kept under *name*, with numbers of *names*.

        None where nothing was, or under another *stamp*.
        """
        if self._folder is None:
            return None
        try:
            fd = opened_folder(self._folder)
            try:
                return _read(fd, name, names, stamp)
            finally:
                os.close(fd)
        except Exception:
            # Damage has many forms.
            return None

    def keep_rows(
        self,
        name: str,
        columns: Columns,
        entries: Iterable[DumpEntry] = (),
        stamp: str = "",
    ) -> bool:
        """Keep *columns*; return whether they are kept.

        *entries* are the dumps of the rows, if they are dumps.
        """
        if self._folder is None:
            return False
        about = {
            "format": _FORMAT,
            "version": __version__,
            "name": name,
            "stamp": stamp,
            "dumps": [place_of(entry) for entry in entries],
        }
        arrays = _arrays_of(about, columns)
        if sum(each.nbytes for each in arrays.values()) > _LARGEST_BYTES:
            return False
        try:
            fd = opened_folder(self._folder, make=True)
            try:
                _write(fd, _file_of(name), arrays)
                _make_room(fd)
            finally:
                os.close(fd)
        except OSError:
            return False
        return True


def folder_of_user() -> str | None:
    """Return where rows are kept; None where the user has no such place."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(home):
        return None
    return os.path.join(home, "nova-profiler", "pages")


def _file_of(name: str) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16)
    return digest.hexdigest() + _SUFFIX


def _arrays_of(about: dict[str, Any], columns: Columns) -> Arrays:
    """Return what a file holds: only the texts of these rows are in it."""
    arrays = columns.view()
    used = np.unique(
        np.concatenate([np.unique(arrays[name]) for name in TEXTS])
    )
    places = np.zeros(int(used.max(initial=0)) + 1, np.int32)
    places[used] = np.arange(len(used))
    for name in TEXTS:
        arrays[name] = places[arrays[name]]
    about["texts"] = [columns.names.texts[at] for at in used.tolist()]
    arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    return arrays


def _read(fd: int, name: str, names: Names, stamp: str) -> KeptRows | None:
    """Return the rows of a file; raises anything for one that is damaged."""
    found = os.open(
        _file_of(name), os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=fd
    )
    with open(found, "rb") as file:
        status = os.fstat(found)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return None
        if status.st_size > _LARGEST_BYTES or not _is_plain(file):
            return None
        file.seek(0)
        with np.load(file, allow_pickle=False) as kept:
            about = json.loads(kept[_ABOUT].tobytes())
            wanted = (_FORMAT, __version__, name, stamp)
            if wanted != tuple(
                about[one] for one in ("format", "version", "name", "stamp")
            ):
                return None
            arrays = {one: kept[one] for one in KINDS}
    os.utime(_file_of(name), dir_fd=fd, follow_symlinks=False)
    _check(arrays, about)
    numbers = np.array(names.numbers(about["texts"]), np.int32)
    for one in TEXTS:
        arrays[one] = numbers[arrays[one]]
    dumps = {dump: at for at, dump in enumerate(about["dumps"])}
    return KeptRows(arrays, dumps)


def _is_plain(file: Any) -> bool:
    """Return whether nothing is larger than it is in the *file*."""
    with zipfile.ZipFile(file) as archive:
        return all(
            item.compress_type == zipfile.ZIP_STORED
            and item.file_size == item.compress_size
            for item in archive.infolist()
        )


def _check(arrays: Arrays, about: dict[str, Any]) -> None:
    """Raise ValueError for what cannot be rows."""
    texts, dumps = about["texts"], about["dumps"]
    rows = len(arrays["epoch_ms"])
    is_right = (
        all(
            arrays[name].dtype == np.dtype(kind)
            and arrays[name].shape == ((rows, each) if each > 1 else (rows,))
            for name, (kind, each) in KINDS.items()
        )
        and all(isinstance(one, str) for one in (*texts, *dumps))
        and len(dumps) in (0, rows)
        and _are_below(arrays["state"], len(STATES))
        and all(_are_below(arrays[one], len(texts)) for one in TEXTS)
        and are_times(arrays["duration_ms"])
        and are_times(arrays["part_ms"])
        # A wrong clock, or a long request, began before 1970.
        and are_times(np.abs(arrays["epoch_ms"].astype(np.float64)))
        and all(_are_ascii(arrays[one]) for one in IDS)
        and bool((arrays["status"] >= 0).all())
    )
    if not is_right:
        raise ValueError("no rows")


def _are_ascii(ids: Any) -> bool:
    return bool((ids.view(np.uint8) < 0x80).all())


def _are_below(numbers: Any, end: int) -> bool:
    return bool(((numbers >= 0) & (numbers < end)).all())


def _write(fd: int, name: str, arrays: Arrays) -> None:
    """Write a file whole or not at all."""
    aside = f".{name}-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
    with open(os.open(aside, flags, 0o600, dir_fd=fd), "wb") as file:
        try:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # none is named allow_pickle
            file.flush()
            os.rename(aside, name, src_dir_fd=fd, dst_dir_fd=fd)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside, dir_fd=fd)
            raise


def _make_room(fd: int) -> None:
    """Remove what was used longest ago, until the rest is small enough."""
    found = []
    for name in os.listdir(fd):
        if name.endswith(_SUFFIX) or f"{_SUFFIX}-" in name:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            found.append((status.st_mtime, status.st_size, name))
    found.sort(reverse=True)
    _remove(fd, _past_bounds(found))


def _past_bounds(
    found: Sequence[tuple[float, int, str]],
) -> list[str]:
    """Return the names of files past the bounds; *found* is newest first."""
    past = []
    taken = 0
    for place, (_, size, name) in enumerate(found):
        taken += size
        if place >= _MOST_FILES or taken > _MOST_BYTES:
            past.append(name)
    return past


def _remove(fd: int, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            os.unlink(name, dir_fd=fd)
