# SPDX-License-Identifier: Apache-2.0
"""The price table is made, and what it measures was really in force."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from places import ROOT
from programs import quick_bench

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.cli import main


@pytest.mark.slow
def test_quick_price_measures_live_instrumentation(tmp_path):
    """The filter records every statement and call that it is priced for."""
    path = tmp_path / "results.json"

    results = quick_bench("price", path, "--only", "ours")

    seen = results["seen"]["ours"]
    assert set(results["prices"]) >= {"baseline", "ours"}
    assert seen["orm"][:3] == [1, 4, 4]
    assert seen["statements"][:3] == [1, 100, 0]
    assert seen["calls"][:3] == [1, 0, 100]
    assert results["datagrams"] > 0


def test_unknown_contender_is_named():
    """A contender that is not there is one line and exit code 2."""
    result = CliRunner().invoke(main, ["price", "--only", "other"])

    assert result.exit_code == 2
    assert "'other' is none of baseline," in result.stderr


def test_the_manual_names_every_command():
    """`make bench ARGS=...` takes each, and there are no others."""
    manual = (ROOT / "benchmarks" / "README.rst").read_text()

    named = set(re.findall(r'make bench ARGS="(\w+)', manual))

    assert named == set(main.commands) - {"all"}
