# SPDX-License-Identifier: Apache-2.0
"""What differs in some requests from the rest, the largest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nova_profiler.groups import LABELS
from nova_profiler.record.rows import PARTS
from nova_profiler.web.rows import READ, Row
from nova_profiler.web.tables.columns import STATES
from nova_profiler.web.tables.table import Table

# Attributes whose values are compared, each with the field of a choice that
# chooses by it.
_ATTRIBUTES = (
    ("route", "title"),
    ("user", "user"),
    ("project", "project"),
    ("service", "service"),
    ("host", "host"),
    ("kind", "kind"),
    ("status", "status"),
    ("part", "part"),
)
_MOST = 10
# Fewer are no evidence.
_LEAST_REQUESTS = 5
# A smaller difference of shares is not worth a line.
_LEAST_SHARE = 0.05


def differences(
    chosen: Iterable[Row], rest: Iterable[Row]
) -> dict[str, list[dict[str, Any]]]:
    """Return the attributes and the parts that differ, as JSON-ready rows.

    Only requests that have been read count. Both lists are empty where too
    few are on one side.
    """
    here, there = _read(chosen), _read(rest)
    if min(len(here), len(there)) < _LEAST_REQUESTS:
        return {"attributes": [], "parts": []}
    return {
        "attributes": _attributes(here, there),
        "parts": _parts(here, there),
    }


def _read(rows: Iterable[Row]) -> Table:
    table = Table.of(rows)
    return table.chosen(table.column("state") == STATES.index(READ))


def _attributes(here: Table, there: Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, field in _ATTRIBUTES:
        column = here.column(field)
        counts = np.bincount(column)
        rest = np.bincount(there.column(field), minlength=len(counts))
        shares = counts / len(here)
        rest_shares = rest[: len(counts)] / len(there)
        # What they lack is the other side of what others have more of.
        differ = np.flatnonzero(shares - rest_shares >= _LEAST_SHARE)
        for number in differ.tolist():
            value = number if field == "status" else here.text(number)
            if value:
                found.append(
                    {
                        "attribute": name,
                        "value": value,
                        "requests": int(counts[number]),
                        "share": round(float(shares[number]), 4),
                        "rest_requests": int(rest[number]),
                        "rest_share": round(float(rest_shares[number]), 4),
                    }
                )
    found.sort(key=lambda row: row["rest_share"] - row["share"])
    return found[:_MOST]


def _parts(here: Table, there: Table) -> list[dict[str, Any]]:
    """Return the parts of the time, in the mean over the requests."""
    here_ms, there_ms = _means(here), _means(there)
    means = [
        (ms, there_ms.get(name, 0.0), name) for name, ms in here_ms.items()
    ]
    means.sort(key=lambda row: row[1] - row[0])
    return [
        {
            "part": name,
            "label": LABELS.get(name, name),
            "mean_ms": round(ms, 3),
            "rest_mean_ms": round(rest_ms, 3),
        }
        for ms, rest_ms, name in means
        if ms > rest_ms
    ]


def _means(table: Table) -> dict[str, float]:
    means = table.column("part_ms").mean(axis=0).tolist()
    return {name: ms for name, ms in zip(PARTS, means, strict=True) if ms}
