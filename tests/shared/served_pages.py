# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler serve`` as a process, once it has read its dumps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PROGRAM = Path(sys.executable).with_name("nova-profiler")
_PATIENCE_S = 60.0


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Give the address of the pages over the dumps of *directory*."""
    with subprocess.Popen(
        [PROGRAM, "serve", directory, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            deadline = time.monotonic() + _PATIENCE_S
            progress: dict[str, Any] = {}
            while not progress.get("named") or (
                progress["read"] < progress["dumps"]
            ):
                assert time.monotonic() < deadline, progress
                progress = json_of(address)["progress"]
            yield address
        finally:
            server.terminate()


def json_of(address: str) -> Any:
    """Return the JSON twin of the page at *address*."""
    request = Request(  # noqa: S310 - an address of ours
        address, headers={"Accept": "application/json"}
    )
    with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 - an address of ours
        return json.load(answer)
