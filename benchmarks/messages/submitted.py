# SPDX-License-Identifier: Apache-2.0
"""What one task costs that a message submits, beside the same without us.

Its pool has no threads: the thread that measures begins with a task before its
message ends, or after that. The message's own price is taken off.
"""

from __future__ import annotations

import statistics
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextvars import Context
from functools import partial, wraps
from typing import Any

from benchmarks.messages.served import METRICS, Price, destinations, ways
from benchmarks.messages.servers import (
    CONTEXT,
    Endpoint,
    Incoming,
    message_of,
    options,
    server_of,
    switched_on,
)
from nova_profiler.capture.hooks.spawns.handing_over import handing_to_workers

NOTHING = "a message alone"
LANE = "a task that ends before its message"
OWN = "a task that ends after its message, with metrics"

_WARM_UP = 200
_MODULE = "nova.thread_pool_factory"


class Pool:
    """Runs what it was given once run() is called, in a context of its own."""

    name = "MainProcess.long_task"

    def __init__(self) -> None:
        self._waiting: list[Callable[[], object]] = []

    def _submit(self, fn: Callable[..., object], /, *args: Any) -> None:
        self._waiting.append(partial(fn, *args))

    # As the hook has it in the executors.
    submit = handing_to_workers(1, "fn")(_submit)

    def run(self) -> None:
        """Run all of it."""
        while self._waiting:
            Context().run(self._waiting.pop())


def _stand_in(pool: Pool) -> types.ModuleType:
    """Return a module that submits as nova's does."""

    def spawn_on(executor_type: Any, func: Any, *args: Any) -> None:
        @wraps(func)
        def in_context(*args: Any) -> object:
            return func(*args)

        pool.submit(in_context, *args)

    module: Any = types.ModuleType(_MODULE)
    module.spawn_on = spawn_on
    made: types.ModuleType = module
    return made


def measure(
    rounds: int, batch: int, progress: Callable[[str], None]
) -> Iterator[Price]:
    """Yield the median price of a task that ends before and after."""
    conf = options()
    pool = Pool()
    before = sys.modules.get(_MODULE)
    module: Any = _stand_in(pool)
    sys.modules[_MODULE] = module

    def submits(is_run: bool, name: object) -> None:
        module.spawn_on(pool, len, name)
        if is_run:
            pool.run()

    servers = {
        NOTHING: server_of(conf, Endpoint()),
        LANE: server_of(conf, Endpoint(partial(submits, True))),
        OWN: server_of(conf, Endpoint(partial(submits, False))),
    }
    more: dict[str, list[float]] = {LANE: [], OWN: []}
    try:
        with destinations() as (statsd, directory):
            ours = ways(statsd, directory)[METRICS]
            for number in range(rounds):
                progress(f"tasks: round {number + 1} of {rounds}")
                bare = {
                    label: _batch_us(server, pool, batch)
                    for label, server in servers.items()
                }
                with switched_on(conf, **ours):
                    timed = {
                        label: _batch_us(server, pool, batch)
                        for label, server in servers.items()
                    }
                message_us = timed[NOTHING] - bare[NOTHING]
                for label, found in more.items():
                    found.append(timed[label] - bare[label] - message_us)
    finally:
        sys.modules.pop(_MODULE)
        if before is not None:
            sys.modules[_MODULE] = before
    for label, prices in more.items():
        yield Price(label, statistics.median(prices))


def _batch_us(server: Any, pool: Pool, messages: int) -> float:
    """Serve *messages*, and their tasks; return the microseconds of one."""
    context, message = dict(CONTEXT), message_of()

    def serve(number: int) -> None:
        for _ in range(number):
            server._process_incoming([Incoming(context, message)])
            pool.run()

    serve(_WARM_UP)
    began = time.thread_time()
    serve(messages)
    return (time.thread_time() - began) / messages * 1e6
