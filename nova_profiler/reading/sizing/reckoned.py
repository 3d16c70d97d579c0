# SPDX-License-Identifier: Apache-2.0
"""What the records of a fleet come to: pure sums of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from nova_profiler.reading.sizing.measured import WINDOW_S, Weight

DAY_S = 86_400


@dataclass(frozen=True)
class Load:
    """What one service writes and sends, all its processes together.

    Each is a second's, but ``names``, ``bytes_per_record`` and those of one
    dump. None is what cannot be known of these records.
    """

    service: str
    processes: int
    records: float | None
    bytes_per_record: float
    line_bytes: float | None
    packed_bytes: float | None
    datagrams: float | None
    metric_lines: float | None
    metric_bytes: float | None
    names: int
    kept: float | None
    dump_bytes: float | None
    bytes_per_dump: float | None


def load_of(
    service: str,
    weight: Weight,
    processes: int | None = None,
    rate: float | None = None,
) -> Load:
    """Return the load of *processes* of *service*.

    *rate* is how many records all of them make a second; without it each
    makes as many as one did in what was measured.
    """
    seen = len(weight.processes)
    there = seen if processes is None else processes
    pace = _pace(weight)
    if rate is None:
        rate = None if pace is None else pace * there
    times = None if rate is None else rate / (weight.records or 1)
    request_times = _times(weight, rate)
    windows = _windows(weight, there)
    per_dump = weight.dump_bytes / weight.dumps if weight.dumps else None
    kept = _product(weight.kept, times)
    return Load(
        service=service,
        processes=there,
        records=rate,
        bytes_per_record=weight.line_bytes / (weight.records or 1),
        line_bytes=_product(weight.line_bytes, times),
        packed_bytes=_product(weight.packed_bytes, times),
        datagrams=_both(
            weight.sent.count, request_times, weight.sums_sent.count, windows
        ),
        metric_lines=_both(
            weight.sent.lines, request_times, weight.sums_sent.lines, windows
        ),
        metric_bytes=_both(
            weight.sent.bytes, request_times, weight.sums_sent.bytes, windows
        ),
        names=len(weight.sent.names | weight.sums_sent.names),
        kept=kept,
        dump_bytes=None if per_dump is None else _product(per_dump, kept),
        bytes_per_dump=per_dump,
    )


def _pace(weight: Weight) -> float | None:
    """Return the records of one process a second, if they show it."""
    if weight.records < 2 or not weight.seconds:
        return None
    return weight.records / weight.seconds / len(weight.processes)


def _times(weight: Weight, rate: float | None) -> float | None:
    """Return by how much the requests that were seen are fewer than theirs."""
    if not weight.requests:
        return 0.0
    return None if rate is None else rate / weight.records


def _windows(weight: Weight, there: int) -> float | None:
    """Return by how much what was added up and sent is less than theirs.

    A process sends its sums every ten seconds, however many records they
    have: they grow with processes and names, hardly with the rate.
    """
    if not weight.others:
        return 0.0
    if not weight.seconds:
        return None
    # Whole ones: what is shorter is sent as what fills one is.
    seconds = ceil(weight.seconds / WINDOW_S) * WINDOW_S
    return there / len(weight.processes) / seconds


def _both(
    one: float, times: float | None, other: float, windows: float | None
) -> float | None:
    if times is None or windows is None:
        return None
    return one * times + other * windows


def _product(value: float, times: float | None) -> float | None:
    return None if times is None else value * times


def loads_of(
    weights: Mapping[str, Weight],
    processes: Mapping[str, int],
    rates: Mapping[str, float],
) -> list[Load]:
    """Return the load of each service in *weights*, by its name."""
    return [
        load_of(name, weight, processes.get(name), rates.get(name))
        for name, weight in sorted(weights.items())
    ]
