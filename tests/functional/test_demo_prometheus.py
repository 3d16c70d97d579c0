# SPDX-License-Identifier: Apache-2.0
"""``make demo METRICS=prometheus``: a PromQL answer is the report's figure."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from places import ROOT
from services import missing

from demo import prometheus

pytestmark = [
    pytest.mark.functional,
    pytest.mark.services,
    pytest.mark.slow,
]

REQUESTS = 5


def test_the_real_nova_apis_requests_are_in_prometheus() -> None:
    """All of them, by route, and the demo ends by itself."""
    try:
        prometheus.programs()
    except prometheus.PrometheusError as exc:
        missing(str(exc))

    done = subprocess.run(
        [sys.executable, "-m", "demo"]
        + ["--metrics", "prometheus", "--profiler", "none"]
        + ["--instances", "2", "--clients", "2"]
        + ["--requests", str(REQUESTS)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert "what Prometheus answers" in done.stdout
    rows = re.findall(
        r"^sum by \(method, route\) \(\w+_(sum|count)\) +(GET \S+) +"
        r"([\d.]+) +([\d.]+)$",
        done.stdout,
        re.MULTILINE,
    )
    assert {(of, route) for of, route, _, _ in rows} == {
        (of, f"GET /v2.1/servers{rest}")
        for of in ("sum", "count")
        for rest in ("", "/detail")
    }
    assert all(prom == report for _, _, prom, report in rows)
    assert [int(prom) for of, _, prom, _ in rows if of == "count"] == [
        2 * REQUESTS,
        2 * REQUESTS,
    ]
