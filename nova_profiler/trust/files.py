# SPDX-License-Identifier: Apache-2.0
"""Reads files that may come from anywhere: regular ones of bounded size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nova_profiler.errors import NovaProfilerError

LARGEST_BYTES = 64 * 1024 * 1024


class FileError(NovaProfilerError):
    """A file cannot be read; the message names it and the reason."""


def content_of(path: Path) -> bytes:
    """Return what is in *path*, or raise FileError."""
    try:
        return read_regular(path)
    except FileError as exc:
        raise FileError(f"{path.name}: {exc}") from None
    except OSError as exc:
        raise FileError(f"{path.name}: {exc.strerror or exc}") from exc


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
