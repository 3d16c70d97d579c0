# SPDX-License-Identifier: Apache-2.0
"""Tries the reader out: on a process made for that, as the worker's is.

As another user's maybe: containers, units and kernels may each forbid one
process to look into another one. That a reader is there does not mean that
it may.
"""

from __future__ import annotations

import subprocess
from typing import Any, NamedTuple

from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.start_test import BEGIN_S
from nova_profiler.capture.profilers.stacks.starting import (
    StacksError,
    started,
)
from nova_profiler.capture.profilers.tracers import (
    be_dumpable,
    has_changed_user,
)
from nova_profiler.trust.isolated_children import isolated_python

# How the process is to be: as one that has changed its user after its start,
# and that makes itself dumpable again.
_CHANGED, _DUMPABLE = "changed", "dumpable"
_CODE = f"from {__name__} import main\nsys.exit(main(*sys.argv[1:]))\n"
_SLOTS = 8


class User(NamedTuple):
    """The user that a server is to be."""

    name: str
    uid: int
    gid: int


def problem_with(
    longest_s: float = 2 * BEGIN_S,
    user: User | None = None,
    changed: bool = False,
    dumpable: bool = False,
) -> str | None:
    """Return what to do so that stacks can be read, None if they can.

    From a process that is the one of a *user*, has *changed* its user after
    its start or not, and may make itself *dumpable* again.
    """
    ways = [_CHANGED] * changed + [_DUMPABLE] * dumpable
    become: dict[str, Any] = {}
    if user is not None:
        become = {"user": user.uid, "group": user.gid, "extra_groups": []}
    try:
        # No text of a user: this Python, and programs as found.
        tried = subprocess.run(  # noqa: S603 - as above
            isolated_python(_CODE, *ways),
            **become,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=longest_s,
            # Its exit code is looked at.
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (
            "looks into a process in known stacks have not ended within "
            f"{longest_s:g} s; is the machine overloaded?"
        )
    except OSError as exc:
        return (
            "stacks cannot be tried out: no process to look into starts: "
            f"{exc.strerror}"
        )
    if tried.returncode == 0:
        return None
    problem = tried.stdout.decode("utf-8", "replace").strip()
    return problem or (
        "stacks cannot be tried out: the process to look into broke off"
    )


def main(*ways: str) -> int:
    """Have a reader look into this process; print what is in its way."""
    if _CHANGED in ways:
        # A change of user leaves a process like this.
        be_dumpable(False)
    try:
        if _DUMPABLE in ways and has_changed_user():
            be_dumpable(True)
        slots = Slots(_SLOTS)
        started(slots).close()
    except StacksError as exc:
        print(exc.strerror)
        return 1
    except OSError as exc:
        print(f"the reader cannot be started: {exc.strerror}")
        return 1
    return 0
