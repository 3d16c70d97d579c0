# SPDX-License-Identifier: Apache-2.0
"""What the building blocks of a profiler cost by themselves."""

from __future__ import annotations

import json
import os
import socket
import statistics
import threading
import time
import timeit
from contextvars import ContextVar
from typing import Any, NamedTuple

from benchmarks.running import processes
from demo.statsd_listener import StatsdListener

_LOOPS = 2000
_ROUNDS = 50
_STATEMENTS = {
    "time.perf_counter()": "time.perf_counter()",
    "time.thread_time()": "time.thread_time()",
    "time.process_time()": "time.process_time()",
    "ContextVar.get()": "variable.get()",
    "ContextVar.set() and reset()": "variable.reset(variable.set(1))",
    "threading.local attribute": "local.value",
    "f-string of one float": "f'{number:.3f}'",
    "json.dumps of 3 fields": "json.dumps(record)",
    "os.write to the null device": "null.write(line)",
    "send of one datagram": "sender.send(line)",
}


class Block(NamedTuple):
    """One building block, nanoseconds without the loop around it."""

    name: str
    least_ns: float
    median_ns: float


def measure() -> list[Block]:
    """Return the blocks in the order of their median."""
    cores = processes.cores()
    variable: ContextVar[int] = ContextVar("block", default=0)
    local = threading.local()
    local.value = 1
    record = {"method": "GET", "path": "/v2.1/servers", "ms": 1.5}
    line = json.dumps(record).encode() * 4
    with (
        StatsdListener(core=cores.own) as statsd,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        open(os.devnull, "wb", buffering=0) as null,
        processes.pinned(cores.measured),
    ):
        sender.connect(("127.0.0.1", statsd.port))
        names = {
            "time": time,
            "variable": variable,
            "local": local,
            "number": 1.234,
            "json": json,
            "record": record,
            "line": line,
            "null": null,
            "sender": sender,
        }
        empty = statistics.median(_rounds("pass", names))
        found = [
            Block(name, min(taken) - empty, statistics.median(taken) - empty)
            for name, taken in (
                (name, _rounds(statement, names))
                for name, statement in _STATEMENTS.items()
            )
        ]
    return sorted(found, key=lambda block: block.median_ns)


def _rounds(statement: str, names: dict[str, Any]) -> list[float]:
    timer = timeit.Timer(statement, globals=names)
    return [
        seconds * 1e9 / _LOOPS for seconds in timer.repeat(_ROUNDS, _LOOPS)
    ]
