# SPDX-License-Identifier: Apache-2.0
"""The figures of the overview are those of the chosen requests."""

from __future__ import annotations

from builders import numbered, slow_rebuild, written
from web_pages import still_index

from nova_profiler.groups import BUCKETS, EITHER
from nova_profiler.web.choice import PAGE_ROWS, choice_of
from nova_profiler.web.overview.figures import overview_of


def overview(rows, slow_ms=150.0, **parameters):
    """Return the overview of a URL."""
    return overview_of(rows, choice_of(parameters), slow_ms)


def test_routes_by_their_total_time(tmp_path):
    """With percentiles and the share that is slow."""
    quick = [numbered(n, duration_ms=20.0 + n) for n in range(60)]
    written(tmp_path, *quick, slow_rebuild())

    [rebuild, servers] = overview(still_index(tmp_path).rows, 70.0).routes

    assert rebuild["route"] == "POST /v2.1/servers/{id}/action rebuild"
    assert rebuild["total_ms"] == rebuild["p50_ms"] == 3117.4
    assert servers["requests"] == sum(servers["over_time"]) == 60
    assert (servers["p50_ms"], servers["p99_ms"]) == (49.0, 79.0)
    assert servers["slow_share"] == round(10 / 60, 4)


def test_what_differs_in_the_slow_ones(tmp_path):
    """Attributes that they share and others lack, and where the time is."""
    slow = {"user_name": "ops", "breakdown_ms": {"lock": 300.0, "sql": 4.0}}
    written(
        tmp_path,
        *[numbered(n) for n in range(40)],
        *[numbered(50 + n, duration_ms=400.0, **slow) for n in range(10)],
    )
    rows = still_index(tmp_path).rows

    found = overview(rows)
    chosen = overview(rows, user="ops")

    assert found.differ_of == "slow"
    assert [
        (one["attribute"], one["value"], one["requests"], one["rest_share"])
        for one in found.differ["attributes"]
    ] == [("user", "ops", 10, 0.0), ("part", "lock", 10, 0.0)]
    assert found.differ["parts"] == [
        {
            "part": "lock",
            "label": "waiting for a lock",
            "mean_ms": 300.0,
            "rest_mean_ms": 0.0,
        }
    ]
    assert chosen.differ_of == "chosen"
    assert chosen.differ["parts"] == found.differ["parts"]


def test_parts_that_differ_are_means_over_all_their_requests(tmp_path):
    """Also where each request has a part of another size, and many parts."""
    names = [bucket.name for bucket in BUCKETS if bucket != EITHER]
    slow = [
        numbered(
            n,
            duration_ms=400.0,
            breakdown_ms={
                name: 1.0 + (place + n) % len(names)
                for place, name in enumerate(names)
            },
        )
        for n in range(len(names))
    ]
    quick = [
        numbered(50 + n, duration_ms=20.0, breakdown_ms={}) for n in range(10)
    ]
    written(tmp_path, *slow, *quick)

    parts = overview(still_index(tmp_path).rows).differ["parts"]

    mean = sum(1.0 + n for n in range(len(names))) / len(names)
    assert len(parts) == len(names)
    assert {part["mean_ms"] for part in parts} == {mean}


def test_few_requests_differ_by_chance(tmp_path):
    """Nothing is made of them."""
    written(tmp_path, slow_rebuild(), *map(numbered, range(40)))

    differ = overview(still_index(tmp_path).rows).differ

    assert differ == {"attributes": [], "parts": []}


def test_every_order_and_page(tmp_path):
    """Each request is on one page, whatever it is sorted by."""
    count = 2 * PAGE_ROWS + 20
    written(tmp_path, *map(numbered, range(count)))
    rows = still_index(tmp_path).rows

    for sort in ("time", "-time", "ms", "-ms", "title", "status", "-user"):
        pages = [
            overview(rows, sort=sort, page=str(page)).requests
            for page in (1, 2, 3, 4)
        ]
        assert [len(page) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 20, 0]
        assert len({row.key for page in pages for row in page}) == count
    slowest = overview(rows, sort="ms").requests
    assert slowest[0].duration_ms == 100.0 + count - 1
    assert overview(rows, sort="-time").requests[0].entry.id_prefix[-1] == "0"
    assert overview(rows).pages == 3
