# SPDX-License-Identifier: Apache-2.0
"""uWSGI with workers of its own, and what its clients get."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).parents[1] / "functional/programs/hanging_app.py"
WAIT_S = 60.0


def asked(port: int, path: str = "/") -> int:
    """Return the status of a request, 0 if the server broke off."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def wait_for(condition: Any) -> Any:
    """Return what *condition* returns as soon as that is true."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("it did not come")


@contextmanager
def uwsgi_serving(
    folder: Path,
    *options: str,
    app: tuple[str, ...] = ("--lazy-apps", "--wsgi-file", str(APP)),
    environ: dict[str, str] | None = None,
) -> Iterator[int]:
    """Run uWSGI with two workers of the hanging application; yield its port.

    Its log, the records and the dumps are in *folder*. *app* are the options
    of another application, *environ* is added to its environment.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        Path(sys.executable).with_name("uwsgi"),
        *("--http-socket", f"127.0.0.1:{port}", "--master"),
        *("--processes", "2", "--enable-threads", "--die-on-term"),
        *("--home", sys.prefix, "--need-app", *app, *options),
    ]
    with (folder / "uwsgi.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "DUMPS": str(folder), **(environ or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: asked(port) == 200)
        yield port
    finally:
        process.terminate()
        process.wait(WAIT_S)
