# SPDX-License-Identifier: Apache-2.0
"""Routes over runs on pages of any width: routes and figures are whole."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nova_profiler.reading.runs.trend.levels import trends_of
from nova_profiler.reading.runs.trend.page import print_trends

RUNS = [f"nightly-2026-11-{day:02d}" for day in range(1, 25)]
ROUTES = {
    "/v2.1/servers/{id}/os-interface": (20.0, 32.25),
    "/v2.1/os-keypairs": (7.0, 7.0),
}


def page(**console) -> str:
    """Return the page of one route that changed and one that did not."""
    rows = [
        {
            "run": run,
            "method": "POST",
            "route": route,
            "calls": 1_250,
            "p50_ms": levels[number >= 16] + 0.01 * (number % 5),
            "p99_ms": 3000 * levels[number >= 16] + number % 7,
        }
        for route, levels in ROUTES.items()
        for number, run in enumerate(RUNS)
    ]
    file = io.StringIO()
    shown = Console(file=file, color_system=None, **console)
    print_trends(shown, trends_of(rows, RUNS, 0.05), len(RUNS), 40)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_routes_and_figures_are_whole_at_any_width(width):
    """The lines of bars give way, then runs and calls."""
    shown = page(width=width, force_terminal=True).splitlines()

    heading, *rows = shown[:3]
    assert [word for word in heading.split() if word[0] == "p"] == [
        "p50", "p99",
    ]  # fmt: skip
    assert "p50 ms" in heading
    for route, row in zip(ROUTES, rows, strict=True):
        assert row.startswith(f"POST {route} ")
        assert len(row) <= width
    assert " 32.3 " in rows[0]
    assert " 96752.0" in rows[0]
    assert any("2 routes, 1 changed level" in line for line in shown)


def test_a_pipe_gets_whole_lines():
    """The route, its change and the run are in one line, for a search."""
    shown = page(width=80).splitlines()

    (change,) = [line for line in shown if "p50 61.2 % slower" in line]
    assert change.startswith("POST /v2.1/servers/{id}/os-interface: ")
    assert " from nightly-2026-11-17 on: 20.0 to 32.3 ms" in change
    assert not any(line.endswith(" ") for line in shown)


@pytest.mark.parametrize("few", [1, 2, 3])
def test_runs_of_few_calls_are_counted(few):
    """They have no level, but there they are; in each view."""
    times = {"method": "GET", "p50_ms": 1.0, "p99_ms": 2.0}
    rows = [
        {"run": run, "route": "/flavors", "calls": 2, **times}
        for run in RUNS[:few]
    ] + [{"run": RUNS[0], "route": "/servers", "calls": 300, **times}]
    file = io.StringIO()
    trends = trends_of(rows, RUNS, 0.05)
    print_trends(Console(file=file, width=100), trends, few, 40)
    alone = [one for one in trends if one.route == "/flavors"]
    print_trends(Console(file=file, width=100), alone, few, 40)

    shown = file.getvalue().splitlines()

    (row, heading) = [one for one in shown if "GET /flavors" in one]
    assert row.split()[2:] == [f"{few}", f"{2 * few}", "few", "few"]
    assert heading == "GET /flavors"
    assert f"{few} run" in shown[-1]
    assert f"{2 * few} calls there" in shown[-1]
