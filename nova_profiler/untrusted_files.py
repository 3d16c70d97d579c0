# SPDX-License-Identifier: Apache-2.0
"""Reads files that may come from anywhere: regular ones of bounded size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nova_profiler.errors import NovaProfilerError

LARGEST_BYTES = 64 * 1024 * 1024


class FileError(NovaProfilerError):
    """A file cannot be read; the message has its name and the reason."""


def content_of(path: Path) -> bytes:
    """Return what is in *path*, or raise FileError."""
    try:
        # O_NONBLOCK: a pipe of that name would have us wait for ever.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FileError(f"{path.name}: not a regular file")
            if status.st_size > LARGEST_BYTES:
                raise FileError(
                    f"{path.name}: {status.st_size} bytes, more than is read "
                    f"of one file ({LARGEST_BYTES})"
                )
            return file.read(LARGEST_BYTES)
    except OSError as exc:
        raise FileError(f"{path.name}: {exc.strerror or exc}") from exc
