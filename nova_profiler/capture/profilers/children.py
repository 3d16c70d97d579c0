# SPDX-License-Identifier: Apache-2.0
"""Starts the processes that engines have beside a worker."""

from __future__ import annotations

import os
import posix
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

_DEFAULT_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGPIPE,
    signal.SIGCHLD,
)


def started(
    command: list[str], environ: Mapping[str, str], files: Sequence[int]
) -> int:
    """Return the pid of *command*, which has *files* as 0, 1, 2 and on.

    It has no other file of this process. Raises OSError.
    """
    return posix.posix_spawn(
        command[0],
        command,
        environ,
        file_actions=[
            *((os.POSIX_SPAWN_CLOSE, fd) for fd in _inherited()),
            *(
                (os.POSIX_SPAWN_DUP2, fd, number)
                for number, fd in enumerate(files)
            ),
        ],
        # Not the group that a terminal's Ctrl-C goes to.
        setpgroup=0,
        setsigmask=[],
        setsigdef=_DEFAULT_SIGNALS,
    )


def _inherited() -> Iterator[int]:
    """Yield the files that a child would get, as a server's C code opens.

    One that outlives its server must not hold on to its socket.
    """
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        # Gone since: the one that listed them, or another thread's.
        with suppress(OSError):
            if fd > 2 and os.get_inheritable(fd):
                yield fd
