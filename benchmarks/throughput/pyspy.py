# SPDX-License-Identifier: Apache-2.0
"""What ``profiler = pyspy`` costs: the real nova-api, and the trampoline."""

from __future__ import annotations

import statistics
import threading
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.throughput import measuring
from benchmarks.throughput.page import show_pairs
from nova_profiler.capture.profilers.pyspy.permission import find_pyspy
from nova_profiler.capture.profilers.pyspy.recording import Recording
from nova_profiler.capture.profilers.pyspy.request_tags import TagPool

OPTIONS = {
    "profiler": "pyspy",
    # Whatever is chosen, the stacks of all are taken; none is kept here.
    "profile_when": "signed",
}
_CALLS = 100_000
# Of the thread that is looked at, for how long, how often.
_FRAMES = 200
_LOOKING_S = 4.0
_LOOKS_S = 50
_REPEATS = 15


class Rate(NamedTuple):
    """Looks a second: those that were wanted, and the throughput."""

    wanted: str
    looks: float
    pairs: list[measuring.Pair]

    @property
    def throughput(self) -> float:
        """Return the throughput with py-spy over that without."""
        return statistics.median(pair.throughput for pair in self.pairs)


def run(
    console: Console,
    pairs: int,
    requests: int,
    intervals_ms: Sequence[float],
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], list[Figure]]:
    """Return everything measured, and the figures to reach.

    py-spy at its own pace, and at each of *intervals_ms*.
    """
    rates = [
        _measured(interval_ms, pairs, requests, progress)
        for interval_ms in (None, *intervals_ms)
    ]
    for rate in rates:
        show_pairs(console, rate.pairs, f"py-spy, {rate.wanted}")
    console.print(_table(rates))
    console.print(f"a look takes py-spy {_frame_us():.1f} us a frame")
    trampoline_us = _trampoline_us()
    rows = [
        Figure(
            f"nova-api, GET servers/detail: throughput with py-spy, "
            f"{rate.wanted}, over none",
            *(rate.throughput, 0.97, "x"),
            at_least=True,
        )
        for rate in rates
    ]
    rows.append(Figure("the trampoline, a request", trampoline_us, 1.0, "us"))
    values = {
        rate.wanted: {
            "nova": measuring.values_of(rate.pairs),
            "looks": rate.looks,
        }
        for rate in rates
    }
    return {"pyspy": values}, rows


def _measured(
    interval_ms: float | None,
    pairs: int,
    requests: int,
    progress: Callable[[str], None],
) -> Rate:
    options = dict(OPTIONS)
    wanted = "its own pace"
    if interval_ms is not None:
        options["profiler_interval_ms"] = str(interval_ms)
        wanted = f"every {interval_ms:g} ms"
    rates: list[int] = []

    def progress_and_look(text: str) -> None:
        rates.extend(_rates())
        progress(f"py-spy, {wanted}: {text}")

    measured = measuring.measure(
        pairs, requests, "threads", progress_and_look, options
    )
    if not rates:
        raise measuring.ThroughputError("py-spy was never at work")
    return Rate(wanted, statistics.median(rates), measured)


def _table(rates: Sequence[Rate]) -> Table:
    table = Table(box=None)
    table.add_column("py-spy looks")
    table.add_column("looks/s", justify="right")
    table.add_column("throughput over none", justify="right")
    table.add_column("CPU of nova-api", justify="right")
    for rate in rates:
        cpu = statistics.median(pair.cpu for pair in rate.pairs)
        table.add_row(
            rate.wanted,
            f"{rate.looks:g}",
            f"x{rate.throughput:.3f}",
            f"x{cpu:.3f}",
        )
    return table


def _rates() -> list[int]:
    """Return how often each py-spy of the machine looks at all threads."""
    rates = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].endswith(b"py-spy") and b"--idle" in words:
            rates.append(int(words[words.index(b"--rate") + 1]))
    return rates


def _frame_us() -> float:
    """Return the processor time that one frame more costs a look."""
    return (_look_s(_FRAMES) - _look_s(0)) / _FRAMES * 1e6


def _look_s(frames: int) -> float:
    """Return what a look takes with a thread of *frames* more."""
    over = threading.Event()

    def wait_below(depth: int) -> None:
        if depth:
            wait_below(depth - 1)
        else:
            over.wait()

    program = find_pyspy()
    if program is None:
        raise measuring.ThroughputError("py-spy is not installed")
    thread = threading.Thread(target=wait_below, args=(frames,))
    thread.start()
    recording = Recording(program, _LOOKS_S, 1, 60)
    try:
        time.sleep(_LOOKING_S)
        spent_s = recording.spent_s()
    finally:
        recording.stop(lambda line: None, lambda line: None)
        over.set()
        thread.join()
    return spent_s / (_LOOKS_S * _LOOKING_S)


def _trampoline_us() -> float:
    """Return what a call through a trampoline adds to a plain one."""
    pool = TagPool()

    def application(environ: object, start_response: object) -> None:
        return None

    def plain() -> None:
        application(None, None)

    def tagged() -> None:
        tag = pool.take()
        if tag is not None:
            tag.call(application, None, None)
            pool.give_back(tag)

    pairs = [
        (
            timeit.timeit(tagged, number=_CALLS),
            timeit.timeit(plain, number=_CALLS),
        )
        for _ in range(_REPEATS)
    ]
    return statistics.median(a - b for a, b in pairs) / _CALLS * 1e6
