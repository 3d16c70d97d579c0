# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler serve`` over the dumps of a run, for a with statement."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = Path(sys.executable).with_name("nova-profiler")
# The usual port first, then a free one.
_PORTS = ([], ["--port", "0"])
_STOP_S = 15


class PagesError(Exception):
    """Pages are not served; what the command printed."""


@contextmanager
def served(dumps: Path) -> Iterator[str]:
    """Serve pages of *dumps* until the end; gives their address."""
    process, address = _started(dumps)
    try:
        yield address
    finally:
        process.terminate()
        process.wait(_STOP_S)
        if process.stdout is not None:
            process.stdout.close()


def _started(dumps: Path) -> tuple[subprocess.Popen[str], str]:
    printed = ""
    for port in _PORTS:
        process = subprocess.Popen(
            [_PROGRAM, "serve", dumps, *port],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C is for the demo, which then stops this process.
            start_new_session=True,
        )
        if process.stdout is None:
            break
        printed = process.stdout.readline().strip()
        if printed.startswith("http"):
            return process, printed
        with process:
            printed += process.stdout.read()
    raise PagesError(f"no pages are served: {printed}")
