# SPDX-License-Identifier: Apache-2.0
"""The name that the command was started by: what it prints can be pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

PROGRAM = "nova-profiler"

_MODULE = "nova_profiler"
_MAIN = os.path.join(_MODULE, "__main__.py")


def command_name() -> str:
    """Return ``nova-profiler`` as a shell of this user finds it.

    That is the path by which it was started where PATH has no such command,
    or another one, and ``python -m nova_profiler`` for the module. Called
    from elsewhere, as from a test or a page of `serve`, it is the bare name.
    """
    started = sys.argv[0] if sys.argv else ""
    if started.endswith(_MAIN):
        python = sys.orig_argv[0] if sys.orig_argv else "python3"
        return f"{shlex.quote(python)} -m {_MODULE}"
    if os.path.basename(started) != PROGRAM or _is_on_path(started):
        return PROGRAM
    return shlex.quote(started)


def program_beside(name: str) -> str:
    """Return the program *name* of the environment that we are from.

    The bare name where ours is one, too, or where there is no such program.
    """
    started = sys.argv[0] if sys.argv else ""
    if os.path.basename(started) == PROGRAM and not _is_on_path(started):
        path = os.path.join(os.path.dirname(started), name)
        if os.access(path, os.X_OK):
            return shlex.quote(path)
    return name


def _is_on_path(started: str) -> bool:
    found = shutil.which(PROGRAM)
    try:
        return found is not None and os.path.samefile(found, started)
    except OSError:
        return False
