# SPDX-License-Identifier: Apache-2.0
"""A worker whose kernel keeps its reader out, and that serves nevertheless.

    python kept_out.py seccomp|hidden

Prints as JSON what the request returned, what was noted, and what a second
request gets; exits with 3 where this machine lets no process be kept out.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
import time
from typing import Any

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
# Of process_vm_readv.
_NUMBERS = {"x86_64": 310, "aarch64": 270}
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOWED, _EPERM = 0x7FFF0000, 0x00050001
_CLONE_NEWNS = 0x00020000
_MS_REC_PRIVATE = 0x4000 | 1 << 18
CANNOT = 3

_libc = ctypes.CDLL(None, use_errno=True)


def refuse_reads() -> bool:
    """Have the kernel refuse process_vm_readv to this process's children."""
    number = _NUMBERS.get(platform.machine())
    if number is None:
        return False
    steps = [
        (_LOAD, 0, 0, 0),
        (_IF_EQUAL, 0, 1, number),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOWED),
    ]
    code = b"".join(struct.pack("<HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(code)
    head = struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(program))
    return (
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and _libc.prctl(_PR_SET_SECCOMP, _FILTER, head, 0, 0) == 0
    )


def hide_proc() -> bool:
    """Have nothing in /proc, for this process and its children."""
    return (
        _libc.unshare(_CLONE_NEWNS) == 0
        and _libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None) == 0
        and _libc.mount(b"none", b"/proc", b"tmpfs", 0, None) == 0
    )


def main() -> int:
    """Be kept out, and serve."""
    from nova_profiler.capture.captures import Capture
    from nova_profiler.capture.contracts import NothingServed
    from nova_profiler.capture.profilers.stacks import engine

    if not {"seccomp": refuse_reads, "hidden": hide_proc}[sys.argv[1]]():
        return CANNOT
    notes: list[Any] = []

    def note(what: str, error: BaseException | None = None) -> None:
        notes.append([what, getattr(error, "strerror", str(error))])

    made = engine.engine(note)
    watch = made.watch(Capture(NothingServed(), 0), True, 0.0)
    until = time.monotonic() + 20
    while not made._sampling.is_over and time.monotonic() < until:
        time.sleep(0.01)
    served = watch.run(lambda: 5)
    is_final = made._sampling.is_refused
    made._start_at = 0.0
    again = made.watch(Capture(NothingServed(), 0), True, 0.0)
    print(
        json.dumps(
            {
                "served": served,
                "notes": notes[:1],
                "is_final": is_final,
                "watched_again": again is not None,
                "pid": os.getpid(),
            }
        )
    )
    made.close()
    made.wait_closed(10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
