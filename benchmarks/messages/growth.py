# SPDX-License-Identifier: Apache-2.0
"""Whether a conductor grows while hostile messages go through it."""

from __future__ import annotations

import gc
import logging
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.messages.servers import (
    CONTEXT,
    Endpoint,
    Incoming,
    message_of,
    options,
    server_of,
    switched_on,
)
from benchmarks.running import processes
from benchmarks.running.figures import Figure
from demo.statsd_listener import StatsdListener

MESSAGES = 1_000_000
WARM_UP = 50_000
_SLICE = 100_000
_METHODS = ("object_class_action_versions", "object_action", "fails")
_ODD: tuple[Any, ...] = (None, 7, [], {}, "\n", "\x1b[2J", "x" * 10_000)


class Growth(NamedTuple):
    """Memory in RAM after the warm-up and at the end, and metrics' names."""

    messages: int
    before_mb: float
    after_mb: float
    names: int

    @property
    def mb(self) -> float:
        """Return by how much the process grew."""
        return self.after_mb - self.before_mb


def figures_of(growth: Growth) -> list[Figure]:
    """Return by how much it grew, and how many names were sent."""
    label = f"{growth.messages} hostile messages"
    return [
        Figure(f"{label}: growth", growth.mb, 5.0, "MB"),
        Figure(f"{label}: metrics of messages", growth.names, 310, "names"),
    ]


def measure(messages: int, progress: Callable[[str], None]) -> Growth:
    """Serve *messages*, each unlike all others."""
    chance = random.Random(3)
    # oslo.messaging's own lines about what fails are not measured.
    logging.disable(logging.CRITICAL)
    conf = options()
    server = server_of(conf, Endpoint())
    names: set[bytes] = set()

    def take(datagram: bytes) -> None:
        for line in datagram.splitlines():
            name = line.partition(b":")[0]
            if b".message." in name:
                names.add(name)

    with (
        StatsdListener(take) as statsd,
        # A dump may still be on its way.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        directory = Path(folder, "dumps")
        directory.mkdir(0o700)
        ours = {
            "statsd_host": "127.0.0.1",
            "statsd_port": statsd.port,
            "dump_dir": str(directory),
            # A dump a millisecond would be all that is measured.
            "dump_when": ["message:slow"],
        }
        with switched_on(conf, **ours):
            progress("messages: warming up")
            _serve(server, chance, WARM_UP)
            before = _settled_mb()
            for served in range(0, messages, _SLICE):
                progress(f"messages: {served} of {messages}")
                _serve(server, chance, min(_SLICE, messages - served))
            after = _settled_mb()
    logging.disable(logging.NOTSET)
    assert names, "no metric was sent"
    return Growth(messages, before, after, len(names))


def _serve(server: Any, chance: random.Random, messages: int) -> None:
    for number in range(messages):
        unique = f"m{chance.getrandbits(60):x}"
        context = {
            **CONTEXT,
            "request_id": unique,
            "user_name": unique,
            "nova_profiler": chance.choice(
                ({"id": unique, "sent": 1.0}, unique, None, {unique: unique})
            ),
        }
        method: Any = chance.choice((*_METHODS, unique))
        named = chance.choice((unique, *_ODD)), chance.choice((unique, *_ODD))
        message = message_of(*named, method)
        if number % 1000 == 0:
            message["args"]["args"] = "x" * 10_000_000
        server._process_incoming([Incoming(context, message)])


def _settled_mb() -> float:
    gc.collect()
    return processes.resident_mb()
