# SPDX-License-Identifier: Apache-2.0
"""The lines about all routes, which both formats of a comparison have."""

from __future__ import annotations

import io

import pytest
from compared_times import compare, run_of
from rich.console import Console
from rich.text import Text

from nova_profiler.reading.runs.compare.page import (
    answer_of,
    interval_text,
    markdown_of,
    percent_text,
    print_comparison,
)


def texts_of(found) -> list[str]:
    """Return *found* in both formats."""
    file = io.StringIO()
    print_comparison(Console(file=file, width=200), found, 1)
    return [file.getvalue(), markdown_of(found, 1)]


@pytest.mark.parametrize(
    ("routes", "wobble", "slowed", "lines"),
    [
        (3, 0, {}, ["Too few routes to separate the move of the whole run"]),
        (30, 0, {}, ["taken out of each route's change.", " % beside the"]),
        (
            30,
            0.2,
            {},
            ["or more beside the others; more runs in A would show"],
        ),
        (
            10,
            0,
            dict.fromkeys(range(7), 1.5),
            ["not taken out, as some routes did not move."],
        ),
    ],
)
def test_lines_name_the_move_of_the_whole_run(routes, wobble, slowed, lines):
    """And how sure it is, and whether it is taken out."""
    a = run_of(1, calls=200, routes=routes, wobble=wobble)
    b = run_of(2, calls=200, routes=routes, wobble=wobble, slowed=slowed)

    for text in texts_of(compare(a, b)):
        for line in lines:
            assert line in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_route_of_novas_is_whole(width):
    """Before p99 and the number of calls."""
    route = ("GET", "/v2.1/servers/{id}/os-volume_attachments")
    found = compare(
        run_of(1, calls=200, routes=3), run_of(2, calls=200, routes=3)
    )
    change, *_ = found.changes
    found = found._replace(
        changes=[change._replace(method=route[0], route=route[1])]
    )
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True)

    print_comparison(console, found, 100)

    shown = Text.from_ansi(file.getvalue()).plain
    assert f" {' '.join(route)} " in shown


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_verdict_route_and_change_stay_at_any_width(width):
    """Other columns give way first, and are named."""
    a = run_of(1, calls=200, routes=12)
    b = run_of(2, calls=200, routes=12, slowed={3: 1.5})
    found = compare(a, b)
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True)

    print_comparison(console, found, 100)

    shown = Text.from_ansi(file.getvalue()).plain.splitlines()
    for change in found.changes:
        (row,) = [
            text
            for text in shown
            if text.startswith(change.verdict)
            and f" {change.method} {change.route} " in f"{text} "
        ]
        assert f"{100 * change.change:+.1f} %" in row
        assert len(row) <= width
    assert ("left out for room" in "\n".join(shown)) == (width < 120)


@pytest.mark.parametrize(
    ("part", "shown"),
    [(-1e-6, "+0.0 %"), (1e-6, "+0.0 %"), (-0.0006, "-0.1 %"), (None, "")],
)
def test_what_rounds_to_nothing_has_one_sign(part, shown):
    """Minus nothing looks as if it were faster."""
    assert percent_text(part) == shown
    if part is not None:
        ends = shown.removesuffix(" %")
        assert interval_text(part, part) == f"{ends} to {ends}"


@pytest.mark.parametrize(
    ("slowed", "answer"),
    [
        ({}, "12 routes: 12 without a sure change"),
        ({3: 1.5}, "; GET /r3 is "),
        ({3: 1.5, 5: 2.5}, "; the most: GET /r5 is "),
        ({3: 0.4, 5: 1.5}, "; the most: GET /r5 is "),
    ],
)
def test_the_answer_stands_above_the_table(slowed, answer):
    """What changed, by how much, how sure; slower comes before faster."""
    a = run_of(1, calls=200, routes=12)
    b = run_of(2, calls=200, routes=12, slowed=slowed)

    for text in texts_of(compare(a, b)):
        top = text.replace("### ", "").replace("\n\n", "\n").splitlines()[:3]
        assert answer in top[1]
        assert top[1].endswith(" sure" if slowed else answer)


def test_a_faster_route_is_an_answer():
    found = compare(
        run_of(1, calls=200, routes=12),
        run_of(2, calls=200, routes=12, slowed={3: 0.4}),
    )

    assert " 1 faster, " in answer_of(found)
    assert " % faster (" in answer_of(found)
