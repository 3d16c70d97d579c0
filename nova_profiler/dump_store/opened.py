# SPDX-License-Identifier: Apache-2.0
"""A dump directory, opened: names in it lead nowhere else.

Everything is done relative to descriptors, so that a link which another user
puts in the place of a folder is never followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from nova_profiler.trust.folders import (
    opened_folder,
    opened_place,
    opened_subfolder,
    safe_place,
)

ASIDE_FOLDER = ".writing"
# Never a file that is there, nor what a link leads to.
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

# Only root and we can change what is above the directory. We look again all
# the same: a person may move it.
_LOOK_S = 10.0


class Opened:
    """The descriptor ``fd`` of a dump directory, and those of its folders."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._folders: dict[str, int] = {}

    def folder(self, name: str, *, make: bool = False) -> int:
        """Return a descriptor of the folder *name*, good until close().

        Raises OSError, and an UntrustedFolder for one that is not ours.
        """
        fd = self._folders.get(name)
        if fd is None:
            fd = opened_subfolder(self.fd, name, make=make)
            self._folders[name] = fd
        return fd

    def forget(self, name: str) -> None:
        """Open the folder *name* anew the next time: it may be gone."""
        former = self._folders.pop(name, None)
        if former is not None:
            os.close(former)

    def has(self, folder: str, name: str) -> bool:
        """Return whether there is a file *name* in *folder*."""
        try:
            os.stat(name, dir_fd=self.folder(folder), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def remove(self, folder: str, name: str) -> bool:
        """Remove a file; return whether it was there. May raise OSError."""
        try:
            os.unlink(name, dir_fd=self.folder(folder))
        except FileNotFoundError:
            return False
        return True

    def close(self) -> None:
        """Close all descriptors; may be called again."""
        while self._folders:
            with suppress(OSError):
                os.close(self._folders.popitem()[1])
        if self.fd >= 0:
            with suppress(OSError):
                os.close(self.fd)
            self.fd = -1

    # Also where memory was short on the way to it.
    __del__ = close


class Directory:
    """The dump directory at *path* as one process uses it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.abspath(path)
        self._place = ""
        self._look_at = 0.0

    @contextmanager
    def opened(self, *, make: bool = True) -> Iterator[Opened]:
        """Give the directory, opened; with *make* it is made if missing.

        Raises OSError, and an UntrustedFolder where it is not ours.
        """
        opened = Opened(self._fd(make))
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def opened_for_command(self) -> Iterator[Opened]:
        """Give the directory to a command, which root may run for others."""
        opened = Opened(opened_folder(self._path, root_for_others=True))
        try:
            yield opened
        finally:
            opened.close()

    def _fd(self, make: bool) -> int:
        now = monotonic()
        if 0 <= self._look_at - now <= _LOOK_S:
            try:
                return opened_place(self._place, os.geteuid())
            except FileNotFoundError:
                # It was removed under a running service.
                pass
        self._look_at = 0.0
        self._place = safe_place(self._path, make=make)
        fd = opened_place(self._place, os.geteuid())
        self._look_at = now + _LOOK_S
        return fd
