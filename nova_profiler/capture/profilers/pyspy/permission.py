# SPDX-License-Identifier: Apache-2.0
"""Where py-spy is, and whether it may look into this process."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import sysconfig

# What a worker's own log, dumps and ``check`` have of it.
CHANGED_USER = (
    "changed its user after it had started, so that the kernel lets no "
    "process of that user look into it: start the server as that user, or "
    "set profiler_dumpable = true"
)

_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
_PR_SET_DUMPABLE = 4
_PR_SET_PTRACER = 0x59616D61


class PyspyError(OSError):
    """py-spy does not work here; ``strerror`` has what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EPERM, text)


def find_pyspy() -> str | None:
    """Return the path of py-spy's program, None if it is not installed."""
    for folder in (
        sysconfig.get_path("scripts"),
        os.path.dirname(sys.executable or ""),
    ):
        path = os.path.join(folder, "py-spy")
        if os.path.isabs(path) and os.access(path, os.X_OK):
            return path
    # A relative folder on PATH is the current one, or below it.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = os.pathsep.join(filter(os.path.isabs, folders))
    return shutil.which("py-spy", path=absolute) if absolute else None


def allow_tracer(pid: int) -> None:
    """Let process *pid* and its children look into this one; 0: none.

    Needed only where Yama is on; elsewhere the same user may.
    """
    try:
        with open(_SCOPE, encoding="ascii") as file:
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


def advice_on(message: bytes) -> str:
    """Return in one line what to do about *message* of py-spy."""
    text = message.decode("utf-8", "replace")
    if "ermission" in text or "not permitted" in text:
        if has_changed_user():
            return f"py-spy may not look: this process {CHANGED_USER}"
        return (
            "py-spy may not look into this process: give its container or "
            "unit CAP_SYS_PTRACE, or run it as one user with "
            "kernel.yama.ptrace_scope 0 or 1"
        )
    lines = [line.strip() for line in text.splitlines()]
    error = next((line for line in lines if line.startswith("Error")), "")
    error = error or next((line for line in lines if line), "nothing")
    shown = "".join(one for one in error if one.isprintable())
    return f"py-spy did not begin; it printed: {shown:.200}"
