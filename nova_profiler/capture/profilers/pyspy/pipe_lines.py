# SPDX-License-Identifier: Apache-2.0
"""The lines of stacks that come from py-spy through a pipe."""

from __future__ import annotations

import posix
from collections.abc import Callable

TakeLine = Callable[[bytes], None]

# What one recording may write: 50 samples a second of 100 frames each, in
# 20 threads at once, are about 30 MB in 20 seconds.
MAX_BYTES = 64 * 1024 * 1024
MAX_LINE = 1024 * 1024
_CHUNK = 1 << 16


class Lines:
    """What comes through one pipe, by line."""

    def __init__(self, fd: int, take: TakeLine) -> None:
        self._fd = fd
        self._take = take
        self._rest = b""
        self._size = 0
        self.done = False
        # False once something was too long to be taken.
        self.whole = True

    def read(self) -> bool:
        """Take what is there; return whether there was anything."""
        chunk = read_some(self._fd)
        if chunk is None:
            self.done = True
            return True
        self._size += len(chunk)
        if self._size > MAX_BYTES or len(self._rest) > MAX_LINE:
            self.done = True
            self.whole = False
            return True
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(line)
        return bool(chunk)


def read_some(fd: int) -> bytes | None:
    """Return what is there, empty for nothing so far, None at the end."""
    try:
        return posix.read(fd, _CHUNK) or None
    except BlockingIOError:
        return b""
