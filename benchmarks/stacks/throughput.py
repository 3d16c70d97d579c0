# SPDX-License-Identifier: Apache-2.0
"""What ``profiler = stacks`` costs: the real nova-api, reader and slots."""

from __future__ import annotations

import os
import statistics
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.running.figures import Figure
from benchmarks.throughput import measuring
from benchmarks.throughput.page import show_pairs
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.watch import StacksWatch

OPTIONS = {
    "profiler": "stacks",
    # Whatever is chosen, the stacks of all are taken; none is kept here.
    "profile_when": "signed",
}
_TICKS_S = os.sysconf("SC_CLK_TCK")
_CALLS = 20_000
_REPEATS = 15


class Reader(NamedTuple):
    """What a reader has used in the time since its start, and its memory."""

    age_s: float
    spent_s: float
    resident_mb: float
    # What no other process shares: the rest is Python's own program.
    private_mb: float


class Rate(NamedTuple):
    """Looks as they were wanted, their price, and the readers'."""

    wanted: str
    pairs: list[measuring.Pair]
    share: float
    resident_mb: float
    private_mb: float

    @property
    def throughput(self) -> float:
        """Return the throughput with the reader over that without."""
        return statistics.median(pair.throughput for pair in self.pairs)

    @property
    def cpu(self) -> float:
        """Return nova-api's processor time with the reader over without."""
        return statistics.median(pair.cpu for pair in self.pairs)


def run(
    console: Console,
    pairs: int,
    requests: int,
    intervals_ms: Sequence[float],
    progress: Callable[[str], None],
    peers: Sequence[Rate] = (),
) -> tuple[dict[str, Any], list[Figure]]:
    """Return everything measured, and the figures to reach.

    At the reader's own pace, and at each of *intervals_ms*, beside *peers*.
    """
    rates = []
    for interval_ms in (None, *intervals_ms):
        rates.append(_measured(interval_ms, pairs, requests, progress))
        # At once: who ends a long run has what was measured.
        _show_pairs(console, rates[-1])
    for rate in peers:
        _show_pairs(console, rate)
    console.print(_table([*rates, *peers]))
    rows: list[Figure] = []
    for rate in rates:
        is_own = rate is rates[0]
        least, share = (0.98, 0.025) if is_own else (0.96, 0.05)
        what = f"nova-api with stacks, {rate.wanted}"
        rows += [
            Figure(
                f"{what}: throughput over none",
                *(rate.throughput, least, "x"),
                at_least=True,
            ),
            Figure(f"{what}: CPU over none", rate.cpu, 1.02, "x"),
            Figure(f"{what}: reader, of a processor", rate.share, share, "x"),
            Figure(f"{what}: reader resident", rate.resident_mb, 15.0, "MB"),
        ]
    rows.append(Figure("a slot, begin and end", slot_us(), 1.0, "us"))
    values = {
        rate.wanted: {
            "nova": measuring.values_of(rate.pairs),
            "share": rate.share,
            "resident_mb": rate.resident_mb,
            "private_mb": rate.private_mb,
        }
        for rate in [*rates, *peers]
    }
    return {"stacks": values}, rows


def _show_pairs(console: Console, rate: Rate) -> None:
    show_pairs(console, rate.pairs, f"stacks, {rate.wanted}")


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
    seen: dict[int, list[Reader]] = {}

    def progress_and_look(text: str) -> None:
        for pid, reader in _readers().items():
            seen.setdefault(pid, []).append(reader)
        progress(f"stacks, {wanted}: {text}")

    measured = measuring.measure(
        pairs, requests, "threads", progress_and_look, options
    )
    return rate_of(wanted, measured, seen)


def rate_of(
    wanted: str,
    measured: list[measuring.Pair],
    seen: Mapping[int, Sequence[Reader]],
) -> Rate:
    """Return the rate that was *measured*, with the readers *seen*."""
    shares = [_share(readings) for readings in seen.values()]
    if not shares:
        raise measuring.ThroughputError("no reader was at work")
    readings = [one for all_ in seen.values() for one in all_]
    return Rate(
        wanted,
        measured,
        statistics.median(shares),
        max(one.resident_mb for one in readings),
        max(one.private_mb for one in readings),
    )


def _share(readings: Sequence[Reader]) -> float:
    """Return what a reader took of a processor, its start left out."""
    first, last = readings[0], readings[-1]
    if first is last:
        return last.spent_s / max(last.age_s, 1.0)
    return (last.spent_s - first.spent_s) / (last.age_s - first.age_s)


def _table(rates: Sequence[Rate]) -> Table:
    table = Table(box=None)
    table.add_column("looks")
    table.add_column("throughput over none", justify="right")
    table.add_column("CPU of nova-api", justify="right")
    table.add_column("reader's processor", justify="right")
    table.add_column("its memory", justify="right")
    table.add_column("of its own", justify="right")
    for rate in rates:
        table.add_row(
            rate.wanted,
            f"x{rate.throughput:.3f}",
            f"x{rate.cpu:.3f}",
            f"{100 * rate.share:.1f} %",
            f"{rate.resident_mb:.1f} MB",
            f"{rate.private_mb:.1f} MB",
        )
    return table


def _readers() -> dict[int, Reader]:
    """Return the readers at work below this process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if b"stacks.reader" in (entry / "cmdline").read_bytes() and (
                _is_below(entry, os.getpid())
            ):
                found[int(entry.name)] = reader_of(entry)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _is_below(entry: Path, ancestor: int) -> bool:
    """Return whether a process, a folder of /proc, has that *ancestor*."""
    pid = int(entry.name)
    while pid > 1 and pid != ancestor:
        stat = (entry.parent / str(pid) / "stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    return pid == ancestor


def reader_of(entry: Path) -> Reader:
    """Return what a process, a folder of /proc, has used. Raises OSError."""
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    spent_s = (int(fields[11]) + int(fields[12])) / _TICKS_S
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - (
        int(fields[19]) / _TICKS_S
    )
    memory = (entry / "smaps_rollup").read_text()
    return Reader(
        age_s,
        spent_s,
        _megabytes(memory, "Rss:"),
        _megabytes(memory, "Private_Dirty:"),
    )


def _megabytes(memory: str, name: str) -> float:
    """Return the field *name* of a smaps_rollup, 0 where it has none."""
    return int((memory.partition(name)[2].split()[:1] or ["0"])[0]) / 1024


class _Keeper:
    """Stands for the reader's other end, which a slot does not need."""

    def __init__(self) -> None:
        self.slots = Slots(8)

    def wake(self) -> None:
        """Wake nothing."""

    def keep(self, watch: StacksWatch) -> str | None:
        """Keep nothing."""
        return None


def slot_us() -> float:
    """Return what a call in a slot adds to a plain one."""
    keeper = _Keeper()
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), None, capture)

    def application(environ: object, start_response: object) -> None:
        return None

    def plain() -> None:
        application(None, None)

    def seen() -> None:
        watch.run(application, None, None)

    pairs = [
        (
            timeit.timeit(seen, number=_CALLS),
            timeit.timeit(plain, number=_CALLS),
        )
        for _ in range(_REPEATS)
    ]
    return statistics.median(a - b for a, b in pairs) / _CALLS * 1e6
