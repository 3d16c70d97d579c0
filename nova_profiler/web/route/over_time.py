# SPDX-License-Identifier: Apache-2.0
"""The percentiles of a route in each span of its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nova_profiler.reading.requests.calls_by_route import percentile
from nova_profiler.web.overview.heat_map import width_of
from nova_profiler.web.rows import Row, time_of
from nova_profiler.web.tables.table import Table


class Span(NamedTuple):
    """The requests of a span of time; ``number`` counts from the first."""

    number: int
    since: str
    until: str
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float


class OverTime(NamedTuple):
    """The spans that have requests, of ``columns`` equally long ones.

    The first of the columns begins ``start_ms`` milliseconds after 1970.
    """

    start_ms: int
    columns: int
    width_ms: int
    spans: list[Span]


def over_time_of(rows: Iterable[Row]) -> OverTime | None:
    """Return the spans of *rows*; None where no time is known."""
    table = Table.of(rows)
    table = table.chosen(table.column("epoch_ms") != 0)
    if not len(table):
        return None
    moments = table.column("epoch_ms")
    first, last = int(moments.min()), int(moments.max())
    width = width_of(last - first)
    start = first // width * width
    numbers = (moments - start) // width
    return OverTime(
        start,
        (last - start) // width + 1,
        width,
        [
            _span(
                number,
                start + number * width,
                width,
                table.chosen(numbers == number),
            )
            for number in np.unique(numbers).tolist()
        ],
    )


def _span(number: int, start: int, width: int, table: Table) -> Span:
    durations = np.sort(table.column("duration_ms")).tolist()
    return Span(
        number,
        time_of(start),
        time_of(start + width),
        len(durations),
        int(table.column("is_failed").sum()),
        round(percentile(durations, 50), 3),
        round(percentile(durations, 99), 3),
    )
