# SPDX-License-Identifier: Apache-2.0
"""A lock on a file or directory; the system lifts it when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = os.O_RDWR | os.O_NOFOLLOW
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY

# Another worker holds a lock for microseconds, unless its thread loses the
# interpreter lock meanwhile; a stopped worker must not stop this one as well.
BRIEF_WAITS_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
# A holder that outlasts those waits so often is stopped, and no busy machine
# keeps it from going on. For so long it is not waited for again.
STOPPED_AFTER = 3
REST_S = 60.0

Without = Callable[[OSError], None]


@contextmanager
def locked(
    path: Path | str,
    flags: int = FILE,
    waits_s: Iterable[float] = BRIEF_WAITS_S,
    without: Without | None = None,
    dir_fd: int | None = None,
) -> Iterator[int | None]:
    """Hold the lock on *path*: yield its descriptor, or None without a lock.

    *path* is relative to *dir_fd*, the descriptor of a folder, if given. A
    lock that another holds is tried again after each of *waits_s*. Where the
    file system has no locks, or the system refuses them, no wait would help:
    *without* gets the error, and the descriptor is yielded unlocked; where
    *without* is None, None is yielded. The path is opened anew each time: a
    descriptor kept open would share its lock with forked workers, and
    outlive the removal of the directory.
    """
    fd = _held(path, flags, waits_s, without, dir_fd)
    try:
        yield fd
    finally:
        if fd is not None:
            _let_go(fd)


class BriefLock:
    """The lock on a file, for a caller that must not wait for long.

    A holder that keeps it, such as a stopped process, is waited for
    STOPPED_AFTER times, then once in REST_S seconds.
    """

    def __init__(
        self, name: str, without: Without = lambda error: None
    ) -> None:
        """*without* gets the error of a system that grants no lock."""
        self._name = name
        self._without = without
        self._wait_from = 0.0
        self._in_vain = 0

    @contextmanager
    def held(self, dir_fd: int, flags: int = FILE) -> Iterator[int | None]:
        """Yield the descriptor of the file in the folder *dir_fd*.

        None where the lock is not had in time.
        """
        waits_s = BRIEF_WAITS_S if time.monotonic() >= self._wait_from else ()
        fd = _held(self._name, flags, waits_s, self._without, dir_fd)
        if fd is not None:
            self._wait_from = 0.0
            self._in_vain = 0
        elif waits_s:
            self._in_vain += 1
            if self._in_vain >= STOPPED_AFTER:
                self._wait_from = time.monotonic() + REST_S
        try:
            yield fd
        finally:
            if fd is not None:
                _let_go(fd)


def _held(
    path: Path | str,
    flags: int,
    waits_s: Iterable[float],
    without: Without | None,
    dir_fd: int | None,
) -> int | None:
    try:
        fd = os.open(path, flags | os.O_CLOEXEC, 0o600, dir_fd=dir_fd)
    except OSError:
        return None
    is_held = False
    try:
        is_held = _is_ours(fd) and _lock(fd, waits_s, without)
    finally:
        if not is_held:
            os.close(fd)
    return fd if is_held else None


def _let_go(fd: int) -> None:
    try:
        # A worker that was forked meanwhile has the descriptor, too, and
        # with it would hold the lock as long as it lives.
        _flock(fd, fcntl.LOCK_UN)
    except OSError:
        # The system grants no locks.
        return
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


def _lock(fd: int, waits_s: Iterable[float], without: Without | None) -> bool:
    waits = iter(waits_s)
    while True:
        try:
            _flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait_s = next(waits, None)
            if wait_s is None:
                return False
            time.sleep(wait_s)
        except OSError as exc:
            # NFS without a lock daemon, some FUSE, a security policy.
            if without is None:
                return False
            without(exc)
            return True
        else:
            return True


def _flock(fd: int, operation: int) -> None:
    flock = getattr(fcntl, "flock", None)
    if flock is None:
        # A Python that was built without it.
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    flock(fd, operation)
