# SPDX-License-Identifier: Apache-2.0
"""What the sink adds to a request, in its own thread and beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.otlp import receiver
from benchmarks.otlp.served import CALLS, Served
from benchmarks.running import processes
from benchmarks.running.figures import Figure, Spread, spread_of

ROUNDS = 60
QUICK_ROUNDS = 4
# As many as one message has; a turn has some of them.
_BATCH = 64
_BATCHES = 8
_WARM_UP = 300


class Added(NamedTuple):
    """Microseconds of CPU a request: its own thread's, and all of it."""

    own: Spread
    all: Spread


def measure(rounds: int, progress: Callable[[str], None]) -> dict[str, Added]:
    """Return what histograms alone, and a trace of each request, add."""
    cores = processes.cores()
    with (
        receiver.running(cores.own) as endpoint,
        processes.pinned(cores.measured),
    ):
        served = {
            "without": Served(),
            "histograms": Served(otlp_endpoint=endpoint, otlp_traces="failed"),
            "traces": Served(
                otlp_endpoint=endpoint, otlp_traces="request:all"
            ),
        }
        for one in served.values():
            one.serve(_WARM_UP)
            one.settle()
        turns: dict[str, list[tuple[float, float]]] = {n: [] for n in served}
        for number in range(rounds):
            if number % 20 == 0:
                progress(f"otlp: round {number} of {rounds}")
            for name, one in served.items():
                turns[name].append(_turn(one))
        for name, one in served.items():
            assert not one.faults, f"{name}: {one.faults}"
    return {
        name: Added(
            *(
                spread_of(
                    [
                        taken[place] - bare[place]
                        for taken, bare in zip(
                            turns[name], turns["without"], strict=True
                        )
                    ]
                )
                for place in (0, 1)
            )
        )
        for name in ("histograms", "traces")
    }


def _turn(served: Served) -> tuple[float, float]:
    """Return microseconds a request: of the thread's CPU, the process's.

    All that was sent is in the second: a turn of 512 requests ends with a
    message of histograms, as ten seconds of 50 requests each do.
    """
    own_ns = 0
    all_ns = time.process_time_ns()
    for _ in range(_BATCHES):
        began = time.thread_time_ns()
        served.serve(_BATCH)
        own_ns += time.thread_time_ns() - began
        if served.has_traces:
            # There is room for some hundred.
            served.drain()
    served.settle()
    all_ns = time.process_time_ns() - all_ns
    requests = _BATCH * _BATCHES
    return own_ns / requests / 1000, all_ns / requests / 1000


def figures(found: dict[str, Added]) -> list[Figure]:
    """Return what a request costs more, beside the limits."""
    trace = f"a trace of {CALLS} calls"
    return [
        Figure(
            "otlp, histograms: a request, its thread and ours",
            found["histograms"].all.median,
            10.0,
            "us",
        ),
        Figure(
            f"otlp, {trace}: in the request's thread",
            found["traces"].own.median,
            60.0,
            "us",
        ),
        Figure(
            f"otlp, {trace}: its thread and ours",
            found["traces"].all.median,
            60.0,
            "us",
        ),
    ]
