# SPDX-License-Identifier: Apache-2.0
"""What ``profiler = pyinstrument`` costs while few requests are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.throughput import measuring
from benchmarks.throughput.page import show_pairs

LIMIT = 0.98
CHOICES = {
    "armed": {"profile_when": "armed"},
    "rate 0.01": {"profile_when": "rate", "profile_rate": "0.01"},
}


def run(
    console: Console,
    pairs: int,
    requests: int,
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], list[Figure]]:
    """Return everything measured, and the figures to reach."""
    values: dict[str, Any] = {}
    rows = []
    for name, options in CHOICES.items():
        progress(f"pyinstrument, {name}")
        measured = measuring.measure(
            pairs,
            requests,
            "threads",
            progress,
            {"profiler": "pyinstrument", **options},
        )
        show_pairs(console, measured, f"pyinstrument {name} over none")
        values[name] = measuring.values_of(measured)
        rows.append(
            Figure(
                f"nova-api, GET servers/detail: throughput with "
                f"pyinstrument, {name}, over none",
                *(of_all(measured), LIMIT, "x"),
                at_least=True,
            )
        )
    return {"sampled": values}, rows


def of_all(pairs: Sequence[measuring.Pair]) -> float:
    """Return the throughput of all runs with the engine over without.

    Not the median of the pairs: a request in a hundred is in few of them.
    """
    without = sum(1 / pair.without.requests_s for pair in pairs)
    with_it = sum(1 / pair.with_filter.requests_s for pair in pairs)
    return without / with_it
