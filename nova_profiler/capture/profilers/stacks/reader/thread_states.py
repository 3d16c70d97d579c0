# SPDX-License-Identifier: Apache-2.0
"""What the kernel states of a thread: its clocks, and what it waits for."""

from __future__ import annotations

import os
from typing import NamedTuple

# What a thread does: it runs or stands in line for a processor, it waits for
# the GIL, it waits for something else.
RUNS, GIL, WAITS = range(3)

PROC = "/proc"
# Why no thread can be seen though the process is there.
HIDDEN = f"{PROC} does not show it"
NO_CLOCKS = f"{PROC} has no clocks of its threads"

# The system call futex, on x86-64 and on arm64.
_FUTEX = (b"202 ", b"98 ")


class Times(NamedTuple):
    """Nanoseconds on a processor, nanoseconds in line for one, and turns.

    What a thread has run since its processor's last tick is missing as long
    as it runs. Where all are as before, it has not run at all.
    """

    ran: int
    queued: int
    turns: int


class ThreadFiles:
    """The kernel's files of one thread, kept open."""

    def __init__(self, pid: int, tid: int) -> None:
        """Raises OSError where they are not, or may not be read."""
        folder = f"{PROC}/{pid}/task/{tid}/"
        self._call = -1
        self._times = os.open(folder + "schedstat", os.O_RDONLY)
        try:
            self._call = os.open(folder + "syscall", os.O_RDONLY)
            # Without the right to look, only a read is refused.
            self.call()
        except BaseException:
            self.close()
            raise

    def times(self) -> Times:
        """Return the thread's clocks; raises OSError once it is gone."""
        return Times(*map(int, os.pread(self._times, 80, 0).split()))

    def call(self) -> bytes:
        """Return ``running``, or number and arguments of its system call."""
        return os.pread(self._call, 160, 0)

    def close(self) -> None:
        """Close both."""
        for fd in (self._times, self._call):
            if fd >= 0:
                os.close(fd)
        self._times = self._call = -1


def why_unseen(pid: int, tid: int) -> str | None:
    """Return why the files of a thread cannot be there, None if they can.

    The thread may have ended, or the files that may be open are used up.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        # Another user's, but it is there.
        pass
    if not os.path.isdir(f"{PROC}/{pid}"):
        return HIDDEN
    folder = f"{PROC}/{pid}/task/{tid}"
    if os.path.isdir(folder) and not (
        os.path.exists(f"{folder}/schedstat")
        and os.path.exists(f"{folder}/syscall")
    ):
        return NO_CLOCKS
    return None


def state_of(call: bytes, gil_from: int, gil_until: int) -> int:
    """Return the state of a thread by its system *call*.

    The GIL's conditions and mutexes lie between the two addresses.
    """
    if call.startswith(b"running"):
        return RUNS
    if call.startswith(_FUTEX):
        address = int(call.split(b" ", 2)[1], 16)
        if gil_from <= address < gil_until:
            return GIL
    return WAITS
