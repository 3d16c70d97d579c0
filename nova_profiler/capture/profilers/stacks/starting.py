# SPDX-License-Identifier: Apache-2.0
"""Starts the reader of this process; it works rightly, or not at all."""

from __future__ import annotations

import errno
import os
from types import ModuleType

from nova_profiler.capture.profilers.stacks.child import Child
from nova_profiler.capture.profilers.stacks.greenlets import frame_offset
from nova_profiler.capture.profilers.stacks.layouts import (
    LayoutError,
    layout_here,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    HIDDEN,
    NO_CLOCKS,
)
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.start_test import (
    Mismatch,
    Refusal,
    Unseen,
    try_out,
)
from nova_profiler.capture.profilers.tracers import (
    CHANGED_USER,
    has_changed_user,
)


class StacksError(OSError):
    """The reader does not work here; ``strerror`` has what to do.

    What this Python or this kernel refuses is *final*.
    """

    def __init__(self, why: str, is_final: bool = False) -> None:
        super().__init__(
            errno.EPERM,
            f"stacks cannot be read from outside: {why}; profiler = "
            "pyinstrument takes them from inside",
        )
        self.is_final = is_final


def started(slots: Slots, greenlets: ModuleType | None = None) -> Child:
    """Return a reader of *slots* that sees this process rightly.

    *greenlets* is greenlet where requests may be greenthreads; those that
    are parked are seen where the child's ``sees_parked`` is true. Raises
    StacksError, or another OSError where it cannot be started.
    """
    try:
        layout = layout_here()
        frame = 0 if greenlets is None else frame_offset(greenlets, layout)
        child = Child(slots, layout, frame)
    except LayoutError as exc:
        raise StacksError(str(exc), is_final=True) from exc
    except FileNotFoundError as exc:
        if os.path.isdir("/proc/self"):
            raise
        raise StacksError(advice_on(HIDDEN)) from exc
    try:
        try_out(child, slots, greenlets if frame else None)
    except BaseException as exc:
        child.close()
        raise _error_of(exc) from exc
    return child


def _error_of(exc: BaseException) -> BaseException:
    if isinstance(exc, Mismatch):
        why = f"this Python keeps them in another way, {exc}"
        return StacksError(why, is_final=True)
    if isinstance(exc, Refusal):
        return StacksError(advice_on(str(exc)), is_final=True)
    if isinstance(exc, Unseen):
        return StacksError(str(exc))
    if isinstance(exc, EOFError):
        return StacksError("the reader ended at once")
    return exc


def advice_on(why: str) -> str:
    """Return in one line what to do about the kernel's refusal *why*."""
    if has_changed_user():
        return f"{why}: this process {CHANGED_USER}"
    if why == HIDDEN:
        return f"{why}: give its unit or container a /proc that shows it"
    if why == NO_CLOCKS:
        return f"{why}: this kernel was built without them"
    return (
        f"{why}: give its container or unit CAP_SYS_PTRACE and a seccomp "
        "profile that lets process_vm_readv pass, or run it as one user with "
        "kernel.yama.ptrace_scope 0 or 1"
    )
