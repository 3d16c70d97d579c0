# SPDX-License-Identifier: Apache-2.0
"""Tries py-spy out: a short recording of a process made for that.

A py-spy that is installed may still not be allowed to look: containers,
units and kernels may each forbid one process to look into another one.
"""

from __future__ import annotations

import subprocess
from typing import Any, NamedTuple

from nova_profiler.capture.greenthreads import nap
from nova_profiler.capture.profilers.pyspy.permission import (
    be_dumpable,
    has_changed_user,
)
from nova_profiler.capture.profilers.pyspy.recording import (
    START_S,
    STOP_S,
    Recording,
)
from nova_profiler.trust.isolated_children import isolated_python

_TRIAL = f"""\
from {__name__} import main
sys.exit(main(*sys.argv[1:]))
"""
_CHANGED, _DUMPABLE = "changed", "dumpable"
_RATE = 100
_RECORDED_S = 0.5
_LONGEST_S = int(START_S + STOP_S)


class User(NamedTuple):
    """The user that a server is to be."""

    name: str
    uid: int
    gid: int


def problem_with(
    program: str,
    longest_s: float = _LONGEST_S,
    user: User | None = None,
    changed: bool = False,
    dumpable: bool = False,
) -> str | None:
    """Return what to do so that *program* can look, None if it can.

    In a process of its own: py-spy stops the one that it looks at. It is
    the one of a *user*, has *changed* its user after its start or not, and
    may make itself *dumpable* again.
    """
    ways = [_CHANGED] * changed + [_DUMPABLE] * dumpable
    become: dict[str, Any] = {}
    if user is not None:
        become = {"user": user.uid, "group": user.gid, "extra_groups": []}
    try:
        # No text of a user: this Python, and py-spy as found.
        tried = subprocess.run(  # noqa: S603
            isolated_python(_TRIAL, program, *ways),
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
            f"py-spy has not ended a short recording within {longest_s:g} "
            "s; is the machine overloaded?"
        )
    except OSError as exc:
        return f"py-spy cannot be tried out: {exc.strerror}"
    if tried.returncode == 0:
        return None
    problem = tried.stdout.decode("utf-8", "replace").strip()
    return problem or "py-spy cannot be tried out: the recording broke off"


def main(program: str, *ways: str) -> int:
    """Let *program* look into this process; print what is in its way."""
    if _CHANGED in ways:
        # A change of user leaves a process like this.
        be_dumpable(False)
    try:
        if _DUMPABLE in ways and has_changed_user():
            be_dumpable(True)
        recording = Recording(program, _RATE, 1, _LONGEST_S)
    except OSError as exc:
        print(exc.strerror)
        return 1
    lines: list[bytes] = []
    nap(_RECORDED_S)
    recording.stop(lines.append, lambda line: None)
    if not lines:
        print("py-spy looked, and saw no stack at all: is it too old?")
        return 1
    return 0
