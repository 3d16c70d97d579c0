# SPDX-License-Identifier: Apache-2.0
"""Tries an engine out in a process made for that, as another user's maybe.

Containers, units and kernels may each forbid one process to look into
another one; that it is installed does not mean that it may.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_profiler.trust.isolated_children import isolated_python

# How the process is to be: as one that has changed its user after its start,
# and that makes itself dumpable again.
CHANGED, DUMPABLE = "changed", "dumpable"


class User(NamedTuple):
    """The user that a server is to be."""

    name: str
    uid: int
    gid: int


def ways_of(changed: bool, dumpable: bool) -> list[str]:
    """Return how the process is to be."""
    return [CHANGED] * changed + [DUMPABLE] * dumpable


def problem_in(
    module: str,
    name: str,
    arguments: Sequence[str],
    longest_s: float,
    user: User | None = None,
) -> str | None:
    """Return what ``main(*arguments)`` of *module* has printed.

    None if it returned 0. *name* is what it tries out, in messages.
    """
    code = f"from {module} import main\nsys.exit(main(*sys.argv[1:]))\n"
    become: dict[str, Any] = {}
    if user is not None:
        become = {"user": user.uid, "group": user.gid, "extra_groups": []}
    try:
        # No text of a user: this Python, and programs as found.
        tried = subprocess.run(  # noqa: S603 - as above
            isolated_python(code, *arguments),
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
            f"{name} has not ended a short recording within {longest_s:g} "
            "s; is the machine overloaded?"
        )
    except OSError as exc:
        return f"{name} cannot be tried out: {exc.strerror}"
    if tried.returncode == 0:
        return None
    problem = tried.stdout.decode("utf-8", "replace").strip()
    return problem or f"{name} cannot be tried out: the recording broke off"
