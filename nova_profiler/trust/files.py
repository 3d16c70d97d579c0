# SPDX-License-Identifier: Apache-2.0
"""Reads files that may come from anywhere: regular ones of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from nova_profiler.errors import NovaProfilerError
from nova_profiler.trust.folders import FOLDER_ITSELF

LARGEST_BYTES = 64 * 1024 * 1024


class FileError(NovaProfilerError):
    """A file cannot be read; the message names it and the reason."""


def content_of(path: Path) -> bytes:
    """Return what is in *path* itself, or raise FileError."""
    try:
        return read_itself(path)
    except FileError as exc:
        raise FileError(f"{path.name}: {exc}") from None
    except OSError as exc:
        raise FileError(f"{path.name}: {exc.strerror or exc}") from exc


def without_links(path: Path) -> Path:
    """Return *path*, which a person named, as read_itself() takes it.

    What a link of theirs leads to is what they mean. One that leads to itself
    stays: resolve() raises there, or not, by Python's version.
    """
    if path.is_symlink() or path.parent.is_symlink():
        return Path(os.path.realpath(path))
    return path


def read_itself(path: Path, expected: str = "is read of one file") -> bytes:
    """Return what is in *path*, and follow no link in it or its folder.

    Both were found in a folder that may come from anywhere, and may have been
    swapped since. Raises as read_regular() does.
    """
    folder = os.open(path.parent, FOLDER_ITSELF)
    try:
        return read_regular(path.name, expected, None, os.O_NOFOLLOW, folder)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise FileError("a link, which is not followed") from None
        raise
    finally:
        os.close(folder)


def read_regular(
    path: str | Path,
    expected: str = "is read of one file",
    largest: int | None = None,
    flags: int = 0,
    dir_fd: int | None = None,
) -> bytes:
    """Return what is in *path*, opened with *flags* as well.

    It is relative to *dir_fd*, the descriptor of a folder, if that is given.

    Raises OSError, and a FileError without the name for what is no regular
    file or has more than *largest* bytes; *expected* completes that message.
    """
    largest = LARGEST_BYTES if largest is None else largest
    # O_NONBLOCK: a pipe of that name would have us wait for ever.
    flags |= os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags, dir_fd=dir_fd)
    try:
        with open(fd, "rb", closefd=False) as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FileError("not a regular file")
            if status.st_size > largest:
                raise FileError(
                    f"{status.st_size} bytes, more than {expected} ({largest})"
                )
            return file.read(largest)
    finally:
        os.close(fd)
