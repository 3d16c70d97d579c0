# SPDX-License-Identifier: Apache-2.0
"""Whether another process may look into this one, and letting it."""

from __future__ import annotations

import os

# What a worker's own log, dumps and ``check`` have of it.
CHANGED_USER = (
    "changed its user after it had started, so that the kernel lets no "
    "process of that user look into it: start the server as that user, or "
    "set profiler_dumpable = true"
)

_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
_PR_SET_DUMPABLE = 4
_PR_SET_PTRACER = 0x59616D61


def allow_tracer(pid: int) -> None:
    """Let process *pid* and its children look into this one; 0: none.

    Needed only where Yama is on; elsewhere the same user may.
    """
    try:
        with open(_SCOPE, encoding="utf-8") as file:
            needed = file.read().strip() == "1"
    except OSError:
        # No Yama.
        return
    if needed:
        _prctl(_PR_SET_PTRACER, pid)


def has_changed_user(pid: int | str = "self") -> bool:
    """Return whether the kernel keeps process *pid* from its own user.

    So it is with a process that has become another user's: it may still
    hold what only its former user may see. Its files in /proc belong to
    root then, and only the folder to its user.
    """
    try:
        user = os.stat(f"/proc/{pid}").st_uid
        return os.stat(f"/proc/{pid}/environ").st_uid != user
    except OSError:
        # No /proc, or the process is gone.
        return False


def be_dumpable(is_on: bool) -> None:
    """Let processes of this one's user look into it, or no longer."""
    _prctl(_PR_SET_DUMPABLE, int(is_on))


def _prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
