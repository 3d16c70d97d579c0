# SPDX-License-Identifier: Apache-2.0
"""The price of the sink is measured where traces and times really leave."""

from __future__ import annotations

import pytest
from programs import quick_bench

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.otlp import away, hour, price
from benchmarks.running.figures import Spread


@pytest.mark.parametrize(
    ("us", "met"), [((9.0, 59.0), True), ((11.0, 61.0), False)]
)
def test_each_price_has_its_limit(us, met):
    """All counts, and of a trace what the request waits for by itself."""
    of_histograms, of_traces = (Spread(one, one, one) for one in us)
    nothing = Spread(0.0, 0.0, 0.0)

    rows = price.figures(
        {
            "histograms": price.Added(nothing, of_histograms),
            "traces": price.Added(of_traces, of_traces),
        }
    )

    assert [row.met for row in rows] == [met, met, met]


@pytest.mark.parametrize(
    ("grown_mb", "late_ms", "met"), [(4.9, 0.9, True), (5.1, 1.1, False)]
)
def test_growth_and_lateness_have_limits(grown_mb, late_ms, met):
    """While the Collector is away."""
    gone = away.Away("hangs", 1, 50.0, 50.0 + grown_mb, 0.1, 0.1 + late_ms, 1)

    assert [row.met for row in away.figures([gone])] == [met, met]


@pytest.mark.parametrize(("grown_mb", "met"), [(4.9, True), (5.1, False)])
def test_growth_in_an_hour_has_a_limit(grown_mb, met):
    """Whatever the clock is."""
    gone = hour.Hour("hangs", 1, 3600.0, 60, 50.0, 50.0 + grown_mb, 1)

    [row] = hour.figures([gone])

    assert row.met == met
    assert "3600 s by our own clock" in row.label


@pytest.mark.slow
def test_a_quick_run_sends_all_and_loses_what_it_must(tmp_path):
    """A fault, or a trace that was not lost, ends it."""
    path = tmp_path / "results.json"

    results = quick_bench("otlp", path, "--requests", "2000")

    assert set(results["otlp"]) == {"histograms", "traces"}
    assert set(results["away"]) == set(results["hour"]) == {"refuses", "hangs"}
    for one in results["hour"].values():
        # Each of them waited and tried by the clock.
        assert one["times"] == one["requests"]
        assert one["tries"] > 0
