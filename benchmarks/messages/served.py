# SPDX-License-Identifier: Apache-2.0
"""What one served message costs, beside the same without us.

Both take turns in one process, a batch of each; the thread's CPU time counts,
so that other work on the machine mostly does not.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from benchmarks.running.figures import Figure
from demo.statsd_listener import StatsdListener

BATCH = 1_000
ROUNDS = 15
_WARM_UP = 200

METRICS = "with metrics"
DUMPS = "with metrics, and dumps that none is kept for"
NOTHING = "nothing is wanted of it"
KEPT = "kept: a record, a line for the log"

_MOST_US = 30.0
_MOST_MORE_US = 5.0


class Price(NamedTuple):
    """Microseconds that a message takes more than without us."""

    label: str
    us: float


def figures_of(prices: list[Price]) -> list[Figure]:
    """Return the prices that have a limit."""
    us = {price.label: price.us for price in prices}
    return [
        Figure("a served message, with metrics", us[METRICS], _MOST_US, "us"),
        Figure(
            "the same where it might be dumped, more",
            *(us[DUMPS] - us[METRICS], _MOST_MORE_US, "us"),
        ),
        Figure(
            "a served message that nothing is wanted of",
            *(us[NOTHING], _MOST_MORE_US, "us"),
        ),
    ]


def measure(
    rounds: int, batch: int, progress: Callable[[str], None]
) -> Iterator[Price]:
    """Yield the median price of each way to be switched on."""
    conf = options()
    server = server_of(conf, Endpoint())
    with destinations() as (statsd, directory):
        by_label = ways(statsd, directory)
        more: dict[str, list[float]] = {label: [] for label in by_label}
        for number in range(rounds):
            progress(f"messages: round {number + 1} of {rounds}")
            for label, ours in by_label.items():
                bare_us = _batch_us(server, batch)
                with switched_on(conf, **ours):
                    _batch_us(server, _WARM_UP)
                    more[label].append(_batch_us(server, batch) - bare_us)
        # What is not switched on costs nothing, and shows nothing.
        assert statsd.datagrams, "no metric was sent"
    for label, prices in more.items():
        yield Price(label, statistics.median(prices))


def ways(statsd: StatsdListener, directory: Path) -> dict[str, Any]:
    """Return the options of each way to be switched on."""
    metrics = {"statsd_host": "127.0.0.1", "statsd_port": statsd.port}
    dumps = {**metrics, "dump_dir": str(directory)}
    return {
        METRICS: metrics,
        DUMPS: dumps,
        NOTHING: {},
        KEPT: {**metrics, "log_requests": ["message:all"]},
    }


@contextmanager
def destinations() -> Iterator[tuple[StatsdListener, Path]]:
    """Have what metrics, dumps and lines can go to."""
    lines = logging.getLogger("nova_profiler")
    before = lines.level
    lines.setLevel(logging.INFO)
    lines.addHandler(logging.NullHandler())
    lines.propagate = False
    try:
        with (
            StatsdListener() as statsd,
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        ):
            directory = Path(name, "dumps")
            directory.mkdir(0o700)
            yield statsd, directory
    finally:
        lines.propagate = True
        lines.setLevel(before)


def _batch_us(server: Any, messages: int) -> float:
    """Serve *messages*; return the microseconds of one."""
    context, message = dict(CONTEXT), message_of()
    began = time.thread_time()
    for _ in range(messages):
        server._process_incoming([Incoming(context, message)])
    return (time.thread_time() - began) / messages * 1e6
