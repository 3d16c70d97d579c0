# SPDX-License-Identifier: Apache-2.0
"""The file that ``--json`` writes."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure, Price
from benchmarks.price import Measured

if TYPE_CHECKING:
    from benchmarks.memory import Growth
    from benchmarks.throughput import Pair

_PACKAGES = (
    "SQLAlchemy",
    "Werkzeug",
    "nova",
    "opentelemetry-instrumentation-sqlalchemy",
    "opentelemetry-sdk",
    "osprofiler",
    "pyinstrument",
    "statsd",
)


def of_price(measured: Measured, found: dict[str, Price]) -> dict[str, Any]:
    """Return every price and every sample."""
    return {
        "prices": {
            name: {
                field: spread._asdict()
                for field, spread in row._asdict().items()
            }
            for name, row in found.items()
        },
        "seen": measured.seen,
        "datagrams": measured.datagrams,
        "samples": [sample._asdict() for sample in measured.samples],
    }


def of_nova(pairs: list[Pair]) -> dict[str, Any]:
    """Return both runs of every pair."""
    return {
        "nova": [
            {
                "without": pair.without._asdict(),
                "with": pair.with_filter._asdict(),
                "throughput": pair.throughput,
                "cpu": pair.cpu,
            }
            for pair in pairs
        ]
    }


def of_memory(growth: Growth) -> dict[str, Any]:
    """Return the process's size before and after."""
    return {"memory": growth._asdict()}


def write(path: Path, results: dict[str, Any], rows: list[Figure]) -> None:
    """Write *results* with what they were measured on."""
    everything = {
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
        },
        "versions": {name: _version(name) for name in _PACKAGES},
        "figures": [{**row._asdict(), "met": row.met} for row in rows],
        **results,
    }
    path.write_text(json.dumps(everything, indent=1) + "\n")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
