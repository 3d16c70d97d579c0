# SPDX-License-Identifier: Apache-2.0
"""The page of what is on: nothing is cut, at any width."""

from __future__ import annotations

import pytest
from running_requests import unfinished

from nova_profiler.reading.running.page import lines_of
from nova_profiler.reading.running.workers import Request, Seen
from nova_profiler.record import RUNNING, OpenCall

NAMES = [f"instance_get_all_by_filters_sort_{n}" for n in range(3)]


@pytest.fixture
def seen():
    """Return requests whose lines are long, and workers that are silent."""
    requests = [
        unfinished(
            outcome=RUNNING,
            user_name="u" * 90,
            path="/x" * 90,
            route="unmatched",
            open_calls=[OpenCall("db_api", name, 0.0, 900.0)],
        )
        for name in NAMES
    ]
    silent = list(range(100_000, 100_009))
    return Seen([Request(one) for one in requests], 2, silent, 70, [])


def test_lines_are_whole_without_a_width(seen):
    """What reads a pipe has none."""
    _, places, *_ = lines_of(seen, 2, None, False)

    assert places == "in: " + ", ".join(f"db_api {name} 1" for name in NAMES)


@pytest.mark.parametrize("width", [1, 20, 40, 80, 120])
def test_nothing_is_cut_at_a_width(seen, width):
    """What is longer goes on in the next line."""
    whole = list(lines_of(seen, 2, None, False))

    lines = list(lines_of(seen, 2, width, False))

    assert max(map(len, lines)) <= width
    assert "".join("".join(lines).split()) == "".join("".join(whole).split())
