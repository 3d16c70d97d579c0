# SPDX-License-Identifier: Apache-2.0
"""A lock on a file or directory; the system lifts it when its holder dies."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = os.O_RDWR | os.O_NOFOLLOW
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY

# Another worker holds a lock for microseconds, unless its thread loses the
# interpreter lock meanwhile; a stopped worker must not stop this one as well.
BRIEF_WAITS_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032)


@contextmanager
def locked(
    path: Path | str,
    flags: int = FILE,
    waits_s: Iterable[float] = BRIEF_WAITS_S,
    dir_fd: int | None = None,
) -> Iterator[int | None]:
    """Hold the lock on *path*: yield its descriptor, or None without a lock.

    *path* is relative to *dir_fd*, the descriptor of a folder, if given. A
    lock that another holds is tried again after each of *waits_s*. The path
    is opened anew each time: a descriptor kept open would share its lock
    with forked workers, and outlive the removal of the directory.
    """
    try:
        fd = os.open(path, flags | os.O_CLOEXEC, 0o600, dir_fd=dir_fd)
    except OSError:
        yield None
        return
    try:
        yield fd if _is_ours(fd) and _lock(fd, waits_s) else None
    finally:
        os.close(fd)


def _is_ours(fd: int) -> bool:
    """Return whether *fd* is a folder, or a file with no second name.

    Another user may have linked a file of root's to the name.
    """
    found = os.fstat(fd)
    return stat.S_ISDIR(found.st_mode) or (
        stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    )


def _lock(fd: int, waits_s: Iterable[float]) -> bool:
    waits = iter(waits_s)
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait_s = next(waits, None)
            if wait_s is None:
                return False
            time.sleep(wait_s)
        except OSError:
            # Some network file systems have no locks.
            return False
        else:
            return True
