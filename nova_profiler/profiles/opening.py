# SPDX-License-Identifier: Apache-2.0
"""Opens a profile's file: a regular one, of a size that can be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nova_profiler.profiles import ProfileError

LARGEST_BYTES = 64 * 1024 * 1024


def content_of(path: Path) -> bytes:
    """Return what is in *path*, or raise ProfileError."""
    try:
        # O_NONBLOCK: a pipe of that name would have us wait for ever.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise ProfileError(f"{path.name}: not a regular file")
            if status.st_size > LARGEST_BYTES:
                raise ProfileError(
                    f"{path.name}: {status.st_size} bytes, more than is read "
                    f"of a profile ({LARGEST_BYTES})"
                )
            return file.read(LARGEST_BYTES)
    except OSError as exc:
        raise ProfileError(f"{path.name}: {exc.strerror or exc}") from exc
