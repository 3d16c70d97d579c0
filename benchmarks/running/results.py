# SPDX-License-Identifier: Apache-2.0
"""The file that ``--json`` writes."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.running.figures import Figure

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
