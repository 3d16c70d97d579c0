# SPDX-License-Identifier: Apache-2.0
"""A worker all of whose requests wait, each in its own thread.

``python -m benchmarks.reading.waiting_worker FOLDER REQUESTS`` dumps to
FOLDER, prints a line when all requests are on, and ends with its input.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any
from wsgiref.util import setup_testing_defaults

from benchmarks.running.wsgi_client import App, get
from nova_profiler.dump_store.running import running_folder, workers_in
from nova_profiler.factory import filter_factory


def main(folder: Path, requests: int) -> None:
    """Serve *requests* at once until standard input ends."""
    on, ended = Barrier(requests + 1), Event()

    def waiting(
        _: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        on.wait()
        ended.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    app: App = filter_factory({}, dump_dir=str(folder), dump_when="failed")(
        waiting
    )
    threads = [Thread(target=_ask, args=(app,)) for _ in range(requests)]
    for thread in threads:
        thread.start()
    on.wait()
    _wait_until_listening(folder)
    print("on", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()


def _ask(app: App) -> None:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/v2.1/servers/detail"
    get(app, environ)


def _wait_until_listening(folder: Path) -> None:
    """Wait for the thread that answers, which the first request starts."""
    while True:
        with suppress(FileNotFoundError):
            workers = workers_in(running_folder(folder), [])
            if any(one.pid == os.getpid() for _, one in workers):
                return
        time.sleep(0.01)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
