# SPDX-License-Identifier: Apache-2.0
"""What workers leave beside the dumps: answers at sockets, and traces."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from fuzz.inputs.seeds import contents
from fuzz.readers.contracts import Reader, command
from nova_profiler.dump_store.asking import Listener
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.processes import Process, this_process
from nova_profiler.dump_store.running import (
    opened_running,
    running_folder,
    taken,
    traces_in,
)

_RECORDS = contents("*-GET-*.json")
_WORKER = "0123abcd"
# Above what a kernel gives to any process.
_NO_PID = 2**31 - 2
_LOOK_S = 0.02


def _answer(record: bytes) -> bytes:
    """Return what a worker answers that serves the request of *record*."""
    fields = json.loads(record)
    fields["open_calls"] = [
        {
            "group": "db_api",
            "name": "instance_get",
            "start_ms": 1.0,
            "ms": 2.0,
            "thread": "Thread-1",
        }
    ]
    fields["open_stacks"] = [
        {"thread": "Thread-1", "frames": ["/a/nova/x.py:12 get", "b.py:1 f"]}
    ]
    return json.dumps({"requests": [fields], "on": 1}).encode()


def _request_in(answer: bytes) -> bytes:
    return json.dumps(json.loads(answer)["requests"][0]).encode()


_ANSWERS = tuple(map(_answer, _RECORDS[:2]))


def _folder_in(folder: Path) -> Path:
    """Return where workers that dump to *folder* keep what is on."""
    with opened_running(Directory(folder), make=True):
        return running_folder(folder)


def read_answer(data: bytes, folder: Path) -> None:
    """Ask a worker that answers *data*, by the command ``running``."""
    running = _folder_in(folder)
    listener = Listener(running, f"{this_process()}-{_WORKER}.sock")
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            listener.serve(_LOOK_S, lambda: data)

    worker = threading.Thread(target=serve)
    worker.start()
    try:
        command("running", "--dump-dir", folder, "--stacks")
        command("running", "--dump-dir", folder, "--json")
    finally:
        done.set()
        worker.join()
        listener.close()


def read_trace(data: bytes, folder: Path) -> None:
    """Read *data* as what a killed worker left of a request."""
    running = _folder_in(folder)
    _, _, boot, space = this_process()
    gone = Process(_NO_PID, 1, boot, space)
    trace = running / f"{gone}-{_WORKER}-1.json"
    trace.write_bytes(data)
    command("list", "--dump-dir", folder)
    command("list", "--dump-dir", folder, "--json", "--slowest")
    command("show", "--last", "--dump-dir", folder)
    for one in traces_in(running):
        taken(one)
    for left in running.iterdir():
        left.unlink()


# Not a number of requests, though JSON takes it for a number.
_FINDS = (
    b'{"requests": [], "on": 1e999}',
    b'{"requests": [], "on": Infinity}',
    b'{"requests": [], "on": NaN}',
)

ANSWER = Reader(read_answer, _ANSWERS, finds=_FINDS, is_json=True)
TRACE = Reader(
    read_trace,
    (*_RECORDS, *map(_request_in, _ANSWERS)),
    is_json=True,
)
