# SPDX-License-Identifier: Apache-2.0
"""Reads a file and passes over its holes, which may be larger than a disk.

Rotation by copying leaves one where the text was, and ``truncate`` makes one
of any size. A reader of all its zeros would take minutes over nothing.
"""

from __future__ import annotations

import errno
import os
from typing import IO

from nova_profiler.reading.logs.files.compression import opened

# Compared at once: strip() looks at each byte for itself.
_ZEROS = bytes(256 * 1024)


def is_zeros(chunk: bytes) -> bool:
    """Return whether *chunk*, as large as a reader takes, is zeros alone."""
    return chunk[:1] == b"\0" and chunk == _ZEROS[: len(chunk)]


def hole_end(fd: int, at: int) -> int:
    """Return where the hole around *at* ends, which is *at* without one."""
    # An open file remembers where its descriptor stands.
    stood = os.lseek(fd, 0, os.SEEK_CUR)
    try:
        return max(at, os.lseek(fd, at, os.SEEK_DATA))
    except OSError as exc:
        # No text up to the end; or a file system that knows no holes.
        is_all = exc.errno == errno.ENXIO
        return max(at, os.fstat(fd).st_size) if is_all else at
    finally:
        os.lseek(fd, stood, os.SEEK_SET)


class WithoutHoles:
    """Reads the plain *file*; of a hole it gives the first zeros."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._text = opened(file, None)

    def read1(self, size: int = -1, /) -> bytes:
        """Return up to *size* bytes; the next stand behind the hole."""
        chunk = self._text.read1(size)
        if is_zeros(chunk):
            here = self._file.tell()
            self._file.seek(hole_end(self._file.fileno(), here))
        return chunk
