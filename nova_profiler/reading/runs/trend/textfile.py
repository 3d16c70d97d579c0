# SPDX-License-Identifier: Apache-2.0
"""The newest run as a report has it, for the textfile of node_exporter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nova_profiler.reading.runs.kept.engines import requests_of, rows_of
from nova_profiler.reading.runs.kept.queries import as_reported, together
from nova_profiler.reading.runs.kept.run import Run

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

IsMeant = Callable[[str, str], bool]

# Of the columns of times; what else ends so is a part of the breakdown.
_DB_API = "db_api"


def summary_of_run(
    backend: BaseBackend,
    directory: Path | str,
    run: Run,
    is_meant: IsMeant,
    slow_ms: float,
    limit: int,
) -> dict[str, Any]:
    """Return the figures of *run* that ``report`` gives of its logs.

    Times are in milliseconds. *is_meant* takes a method and a route; *limit*
    is how many routes there are at most, those with the most time.
    """
    requests = requests_of(backend, directory, [run])
    rows = [
        _figures_of(row)
        for row in rows_of(as_reported(requests, slow_ms))
        if is_meant(row["method"], row["route"])
    ]
    rows.sort(key=lambda row: (-row["total_ms"], row["method"], row["route"]))
    meant = sorted({f"{row['method']} {row['route']}" for row in rows})
    total = rows_of(as_reported(together(requests, meant), slow_ms))
    return {
        "by": "route",
        "rows": rows[:limit],
        "rows_more": len(rows[limit:]),
        "total": total[0] if total else {"calls": 0, "total_ms": 0.0},
        "slow_ms": slow_ms,
        "to": run.last_at,
    }


def _figures_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return *row* with its breakdown as a report's row has it."""
    figures = dict(row)
    for name, ms in row.items():
        bucket, _, unit = name.rpartition("_sum_")
        if unit != "ms":
            continue
        del figures[name]
        if ms is None:
            continue
        if bucket == _DB_API:
            figures[_DB_API] = {"ms": ms}
        else:
            figures.setdefault("breakdown_ms", {})[bucket] = ms
    return figures
