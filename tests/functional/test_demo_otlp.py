# SPDX-License-Identifier: Apache-2.0
"""``make demo METRICS=otlp``: a receiver gets what the records have."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from places import ROOT

pytestmark = [pytest.mark.functional, pytest.mark.slow]

# Of the demo's load as it is: clients by requests.
REQUESTS = 3 * 100


def test_the_demos_whole_load_is_in_traces_and_histograms() -> None:
    """Number, sum and spans of each series; the demo compares each trace."""
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--metrics", "otlp"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=900,
    )

    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"^nova-api GET (/\S+) 200 +(\d+) +(\d+) +([\d.]+) +([\d.]+) +(\d+)"
        r" +(\d+)$",
        done.stdout,
        re.MULTILINE,
    )
    assert {route for route, *_ in rows} == {
        "/v2.1/servers",
        "/v2.1/servers/detail",
    }
    for _, requests, in_records, ms, ms_of, spans, spans_of in rows:
        assert int(requests) == int(in_records) == REQUESTS
        assert float(ms) == pytest.approx(float(ms_of), abs=0.2 + 0.001 * 300)
        # Each request has calls.
        assert int(spans) == int(spans_of) > 2 * REQUESTS
