# SPDX-License-Identifier: Apache-2.0
"""Routes over runs: their order, and their changes."""

from __future__ import annotations

from nova_profiler.reading.runs.trend.levels import figures_of, trends_of

ORDER = [f"n{number:02d}" for number in range(24)]


def rows_of(route, levels, calls=200):
    return [
        {
            "run": run,
            "method": "GET",
            "route": route,
            "calls": calls,
            "p50_ms": level + 0.01 * (index % 5),
            "p99_ms": 3 * level + 0.1 * (index % 7),
        }
        for index, (run, level) in enumerate(zip(ORDER, levels, strict=True))
    ]


def test_a_change_has_levels_and_sample_sizes():
    """From which run on, from what to what, over how many runs."""
    steady = rows_of("/steady", [10.0] * 24, calls=900)
    stepped = rows_of("/stepped", [20.0] * 16 + [30.0] * 8)

    first, second = trends_of(steady + stepped, ORDER, 0.05)

    assert (first.route, second.route) == ("/stepped", "/steady")
    p50, p99 = first.changes
    assert (p50.measure, p50.at) == ("p50", "n16")
    assert (p50.runs_before, p50.runs_after) == (16, 8)
    assert (round(p50.before_ms), round(p50.after_ms)) == (20, 30)
    assert round(p50.change, 2) == 0.5
    assert p50.p < 0.001
    assert p99.measure == "p99"
    assert second.changes == ()


def test_small_changes_are_none():
    """One per cent is not worth acting on, however sure."""
    rows = rows_of("/a", [100.0] * 12 + [101.0] * 12)

    assert trends_of(rows, ORDER, 0.05)[0].changes == ()
    assert trends_of(rows, ORDER, 0.005)[0].changes != ()


def test_more_routes_ask_for_more_certainty():
    """p is corrected for the number of routes."""
    stepped = rows_of("/a", [20.0] * 16 + [30.0] * 8)
    others = [row for n in range(9) for row in rows_of(f"/{n}", [10.0] * 24)]

    alone = trends_of(stepped, ORDER, 0.05)[0].changes[0]
    among = trends_of(stepped + others, ORDER, 0.05)[0].changes[0]

    assert round(among.p / alone.p) == 10


def test_runs_with_few_calls_are_left_out_and_counted():
    """A p99 of three calls is no level."""
    rows = rows_of("/a", [10.0] * 24)
    for row in rows[:4]:
        row["calls"] = 3

    (trend,) = trends_of(rows, ORDER, 0.05)

    assert (len(trend.runs), trend.few_runs) == (20, 4)


def test_runs_come_in_the_order_given():
    """An engine may answer in any order."""
    rows = rows_of("/a", [10.0] * 24)[::-1]

    (trend,) = trends_of(rows, ORDER, 0.05)

    assert [run.run for run in trend.runs] == ORDER
    assert figures_of(trend)["runs"][0]["run"] == "n00"


def test_no_time_at_all_is_no_change():
    """There is no ratio to zero."""
    rows = rows_of("/a", [0.0] * 24)
    for row in rows:
        row["p50_ms"] = row["p99_ms"] = 0.0

    assert trends_of(rows, ORDER, 0.05)[0].changes == ()
