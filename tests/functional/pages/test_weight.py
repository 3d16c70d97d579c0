# SPDX-License-Identifier: Apache-2.0
"""A page is light with all its parts, however much it shows."""

from __future__ import annotations

import random

import pytest
from browser import page_in
from builders import SELECT_INSTANCES, numbered, written
from profile_builders import write_session
from served_pages import served

from nova_profiler.record import StatementTotals, TimelineEntry

pytestmark = [pytest.mark.functional]

MOST_BYTES = 600_000
CALLS = 2000
NODES = 5000


def long_request():
    """Return a request of 2000 calls, a DB API call for each statement."""
    calls = []
    for n in range(CALLS // 2):
        name = f"instance_get_by_uuid_{n % 40}"
        calls.append(TimelineEntry("db_api", name, 4.0 * n, 3.5))
        calls.append(
            TimelineEntry(
                "sql", "SELECT instances", 4.0 * n + 1, 2.0, statement=0
            )
        )
    return numbered(
        1,
        duration_ms=4.0 * CALLS / 2 + 100,
        timeline=calls,
        statements=[
            StatementTotals(
                SELECT_INSTANCES, "SELECT instances", "nova_cell1", CALLS // 2,
                2.0 * CALLS / 2, 2.0, rows=CALLS // 2,
            ),
        ],
    )  # fmt: skip


def wide_stacks():
    """Return samples whose tree has 5000 functions."""
    chance = random.Random(4)
    samples = []
    for n in range(NODES // 10):
        frames = ["do\x00/x/nova/api/do.py\x001"]
        for level in range(10):
            name = f"function_{n}_{level}"
            frames.append(f"{name}\x00/x/lib/module_{level}.py\x00{n + 1}")
        samples.append((frames, chance.random()))
    return samples


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of pages over many dumps, one of a long request."""
    folder = tmp_path_factory.mktemp("many")
    chance = random.Random(3)
    [path, *_] = written(
        folder,
        long_request(),
        *(
            numbered(
                60 * n, duration_ms=min(4000.0, chance.lognormvariate(5, 2))
            )
            for n in range(1, 400)
        ),
    )
    write_session(path.with_suffix(".pyisession"), *wide_stacks())
    with served(folder) as begun:
        yield begun


@pytest.mark.parametrize("place", ["overview", "request"])
def test_a_page_is_light(browser, address, place):
    """With its scripts, as a browser gets them."""
    with page_in(browser) as page:
        page.goto(f"{address}?sort=ms")
        if place == "request":
            link = page.locator('a[href^="requests/"]').first
            page.goto(f"{address}{link.get_attribute('href')}")
        page.locator("#keys").wait_for()
        sizes = page.evaluate(
            "['navigation', 'resource'].flatMap("
            "kind => performance.getEntriesByType(kind))"
            ".map(one => [one.name, one.encodedBodySize])"
        )

        assert any(name.endswith("/scripts/start.js") for name, _ in sizes)
        assert all(size > 0 for _, size in sizes), sizes
        assert sum(size for _, size in sizes) < MOST_BYTES, sizes
