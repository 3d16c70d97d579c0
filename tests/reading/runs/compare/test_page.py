# SPDX-License-Identifier: Apache-2.0
"""The lines about all routes, which both formats of a comparison have."""

from __future__ import annotations

import io

import pytest
from compared_times import compare, run_of
from rich.console import Console

from nova_profiler.reading.runs.compare.page import (
    markdown_of,
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
