# SPDX-License-Identifier: Apache-2.0
"""Which process wrote something, and whether that process still runs.

A pid alone is used again: the moment of the start distinguishes two
processes with one number. Readers may run elsewhere than writers, in another
container or on another host that shares the directory: there a pid names
another process, and this module answers that it does not know.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import NamedTuple

ALIVE, ENDED, UNKNOWN = "alive", "ended", "unknown"

_TEXT = re.compile(r"([0-9]{1,10})-([0-9]{1,20})-([0-9a-f]{8})-([0-9]{1,20})")
# A process that nothing has waited for yet runs no more.
_GONE = (b"Z", b"X", b"x")


class Process(NamedTuple):
    """A process by its number, its start, its kernel and its container."""

    pid: int
    # Clock ticks after the kernel's start.
    started: int
    # The start of the kernel's boot id.
    boot: str
    # The number of its pid namespace.
    space: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


def this_process() -> Process:
    """Return this process. May raise OSError where there is no /proc."""
    return _known(os.getpid())


# A forked child has a number of its own.
@lru_cache(2)
def _known(pid: int) -> Process:
    found = _stat("self")
    if found is None:
        raise FileNotFoundError(2, os.strerror(2), "/proc/self/stat")
    # In a thread: a codec that must be imported first would be half there in
    # a process that is forked meanwhile.
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        boot = file.read(8)
    space = re.sub("[^0-9]", "", os.readlink("/proc/self/ns/pid"))
    return Process(pid, found[1], boot, int(space or 0))


def process_of(text: str) -> Process | None:
    """Return the process that *text* names, None if it names none."""
    found = _TEXT.fullmatch(text)
    if found is None or not int(found[1]):
        return None
    return Process(int(found[1]), int(found[2]), found[3], int(found[4]))


def is_same_kernel(process: Process) -> bool:
    """Return whether *process* ran here, if maybe in another container."""
    try:
        return process.boot == this_process().boot
    except OSError:
        return False


def state_of(process: Process) -> str:
    """Return ALIVE or ENDED; UNKNOWN where that cannot be seen from here."""
    try:
        here = this_process()
    except OSError:
        return UNKNOWN
    if process[2:] != here[2:]:
        return UNKNOWN
    found = _stat(str(process.pid))
    if found is None:
        # /proc may be mounted so that it hides the processes of others.
        return UNKNOWN if _is_there(process.pid) else ENDED
    state, started = found
    is_same = started == process.started and state not in _GONE
    return ALIVE if is_same else ENDED


def _stat(pid: str) -> tuple[bytes, int] | None:
    """Return state and start of *pid*, None if they cannot be read."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name before it may hold anything, brackets too.
            fields = file.read().rpartition(b")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        # Another user's.
        return True
    return True
