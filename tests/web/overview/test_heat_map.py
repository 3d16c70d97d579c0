# SPDX-License-Identifier: Apache-2.0
"""Each request is in one cell, whose ends choose it again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.dump_store import DumpEntry
from nova_profiler.web.choice import choice_of
from nova_profiler.web.overview.heat_map import (
    COLUMNS,
    MOST_STEPS,
    axis_times,
    heat_map_of,
)
from nova_profiler.web.rows import Row

ENTRY = DumpEntry("", "", "", 0, "", "", "")


def row(epoch_s, duration_ms):
    """Return a request that began then and took so long."""
    return Row("", ENTRY, epoch_s, duration_ms, "GET /")


TIMES = st.floats(1, 4e9).map(lambda at: round(at, 3))
REQUESTS = st.lists(
    st.tuples(TIMES, st.floats(0, 1e7).map(lambda ms: round(ms, 3))),
    min_size=1,
    max_size=30,
)


def test_no_requests_have_no_grid():
    """Nor have those without a time."""
    assert heat_map_of([]) is None
    assert heat_map_of([row(0.0, 5.0)]) is None


def test_an_afternoon():
    """Columns of a round width from a round time; the outlier is visible."""
    requests = [row(36000 + 10 * n, 20.0) for n in range(1000)]

    grid = heat_map_of([*requests, row(40000, 7000.0)])

    assert (grid.width_ms, grid.columns) == (300_000, 34)
    assert grid.since(1) == "1970-01-01T10:05:00.000+00:00"
    [outlier] = [cell for cell in grid.cells if cell.requests == 1]
    assert grid.low_ms(outlier.step) == 5000
    assert outlier.level == 1
    assert max(cell.level for cell in grid.cells) == 5


@settings(max_examples=50)
@given(REQUESTS)
def test_cells_have_all_requests(requests):
    """Each once, in a grid of bounded size."""
    rows = [row(*request) for request in requests]

    grid = heat_map_of(rows)

    assert sum(cell.requests for cell in grid.cells) == len(rows)
    assert 1 <= grid.columns <= COLUMNS
    assert 1 <= len(grid.edges_ms) <= MOST_STEPS
    assert all(0 <= cell.column < grid.columns for cell in grid.cells)
    assert all(0 <= cell.step < len(grid.edges_ms) for cell in grid.cells)
    assert all(1 <= cell.level <= 5 for cell in grid.cells)


@settings(max_examples=50)
@given(REQUESTS)
def test_a_cell_chooses_its_requests(requests):
    """The link has the ends of the cell, and finds what was counted."""
    rows = [row(*request) for request in requests]
    grid = heat_map_of(rows)

    for cell in grid.cells:
        choice = choice_of(
            {
                "since": grid.since(cell.column),
                "until": grid.since(cell.column + 1),
                "min_ms": str(grid.low_ms(cell.step)),
                "max_ms": str(grid.edges_ms[cell.step]),
            }
        )
        assert len(choice.of(rows)) == cell.requests


@given(
    st.integers(0, 4 * 10**12),
    st.sampled_from([1000, 3_600_000]),
    st.integers(1, COLUMNS),
)
def test_an_axis_has_up_to_four_times(start_ms, width_ms, columns):
    """Evenly far from each other, and from the right end."""
    found = axis_times(start_ms, width_ms, columns)

    assert 1 <= len(found) <= 4
    assert found[0][0] == 0.0
    for (left, _), (right, _) in pairwise(found):
        assert right - left >= 0.25
    assert found[-1][0] <= 0.8


def test_an_axis_has_times_of_columns_without_requests():
    """The text is when its column begins; over days the day is with it."""
    assert axis_times(0, 1000, 19) == [
        (0 / 19, "00:00:00"),
        (5 / 19, "00:00:05"),
        (10 / 19, "00:00:10"),
        (15 / 19, "00:00:15"),
    ]
    assert axis_times(0, 86_400_000, 2)[1] == (0.5, "01-02 00:00")
