# SPDX-License-Identifier: Apache-2.0
"""The end of the demo's page."""

from __future__ import annotations

import io

import pytest
from builders import numbered
from rich.console import Console

from demo.page import figures, summary
from demo.page.metrics import Metrics
from nova_profiler.reading.advice.page import Source


def test_the_answer_has_three_lines() -> None:
    """The route with most time, its parts, the command: on any screen."""
    slow = {"http": 60.0, "sql": 30.0, "python": 10.0}
    console = Console(width=40, file=io.StringIO(), highlight=False)
    routes = figures.by_route(
        [
            numbered(1, duration_ms=10.0, breakdown_ms={"sql": 10.0}),
            numbered(2, route="/b", duration_ms=90.0, breakdown_ms=slow),
            numbered(3, route="/b", duration_ms=110.0, breakdown_ms=slow),
        ]
    )

    summary.show_answer(
        console, figures.slowest_of(routes), "nova-profiler show 0000002"
    )

    assert console.file.getvalue().splitlines() == [
        "GET /b takes 100.0 ms, the slowest 110.0 ms",
        "HTTP to other services 60 %, driver: statements 30 %",
        "nova-profiler show 0000002",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_the_answers_parts_fit_a_line_of_80(width: int) -> None:
    """The smallest of three is left out where their names are long."""
    long = {"processor": 40.0, "sql": 35.0, "sqlalchemy": 25.0}
    console = Console(width=width, file=io.StringIO(), highlight=False)
    routes = figures.by_route(
        [numbered(1, duration_ms=100.0, breakdown_ms=long)]
    )

    summary.show_answer(console, figures.slowest_of(routes), "show")

    _, parts, _ = console.file.getvalue().splitlines()
    assert parts == (
        "waiting in line for a processor 40 %, driver: statements 35 %"
    )


def test_a_command_of_the_advice_can_be_typed_from_here() -> None:
    """With the demo's own program, its log, and the route above it."""
    parts = {"sql": 60.0, "python": 40.0}
    records = [
        numbered(n, duration_ms=100.0, breakdown_ms=parts) for n in range(3)
    ]
    console = Console(width=80, file=io.StringIO(), highlight=False)
    source = Source(".state/requests.jsonl", False, ".venv/bin/nova-profiler")

    routes = figures.by_route(records)
    summary.show(console, records, routes, Metrics(), source)

    assert (
        "  .venv/bin/nova-profiler calls --by sql .state/requests.jsonl "
        "--route 'GET /v2.1/servers'"
    ) in console.file.getvalue().splitlines()
