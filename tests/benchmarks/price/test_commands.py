# SPDX-License-Identifier: Apache-2.0
"""The price table is made, and what it measures was really in force."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import sqlalchemy
from places import ROOT

pytestmark = pytest.mark.skipif(
    sqlalchemy.__version__.startswith("1."),
    reason="the benchmarks' database is written for SQLAlchemy 2",
)


def run(*arguments):
    """Run a command of the benchmarks, return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_quick_price_measures_live_instrumentation(tmp_path):
    """The filter records every statement and call that it is priced for."""
    path = tmp_path / "results.json"

    done = run(*("price", "--quick", "--only", "ours"), *("--json", str(path)))

    assert done.returncode == 0, done.stderr
    results = json.loads(path.read_text())
    seen = results["seen"]["ours"]
    assert set(results["prices"]) >= {"baseline", "ours"}
    assert seen["orm"][:3] == [1, 4, 4]
    assert seen["statements"][:3] == [1, 100, 0]
    assert seen["calls"][:3] == [1, 0, 100]
    assert results["datagrams"] > 0


def test_unknown_contender_is_named():
    """A contender that is not there is one line and exit code 2."""
    done = run("price", "--only", "nobody")

    assert done.returncode == 2
    assert "'nobody' is none of baseline," in done.stderr
