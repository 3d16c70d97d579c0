# SPDX-License-Identifier: Apache-2.0
"""The slowest request beside the one nearest to the median."""

from __future__ import annotations

from builders import numbered, written
from web_pages import still_index

from nova_profiler.record import KILLED, GroupTotals
from nova_profiler.web.route.pair import pair_of


def pair_in(index):
    """Return the pair of all rows of *index*."""
    return pair_of(index, index.rows)


def test_parts_and_calls_of_both(tmp_path):
    """The largest difference first."""
    usual = [
        numbered(
            n,
            duration_ms=100.0 + n,
            breakdown_ms={"sql": 20.0, "python": 80.0},
            groups={"db_api": GroupTotals(3, 20.0, 20.0)},
        )
        for n in range(5)
    ]
    slow = numbered(
        9,
        duration_ms=900.0,
        breakdown_ms={"sql": 790.0, "python": 70.0, "lock": 40.0},
        groups={
            "db_api": GroupTotals(40, 790.0, 790.0),
            "lock": GroupTotals(1, 40.0, 40.0),
        },
    )
    written(tmp_path, *usual, slow)

    found = pair_in(still_index(tmp_path))

    assert (found.typical.duration_ms, found.slowest.duration_ms) == (102, 900)
    assert [(part.name, part.more_ms) for part in found.parts] == [
        ("sql", 770.0),
        ("lock", 40.0),
        ("python", -10.0),
    ]
    assert found.calls[0] == ("DB API", 3, 40)
    assert ("Waits for locks", 0, 1) in found.calls


def test_no_rest_is_python_without_a_clock(tmp_path):
    """Under eventlet nothing tells running from waiting."""
    parts = {"sql": 20.0, "python": 80.0}
    written(
        tmp_path,
        *(
            numbered(n, cpu_ms=None, breakdown_ms=parts, duration_ms=100.0 + n)
            for n in range(5)
        ),
    )

    found = pair_in(still_index(tmp_path))

    assert {part.name for part in found.parts} == {"sql", "either"}


def test_a_killed_request_is_neither(tmp_path):
    """What it was in is not known."""
    written(
        tmp_path,
        numbered(1, duration_ms=10.0),
        numbered(2, duration_ms=20.0),
        numbered(3, duration_ms=9000.0, outcome=KILLED),
    )

    assert pair_in(still_index(tmp_path)).slowest.duration_ms == 20.0


def test_the_next_one_stands_for_a_damaged_dump(tmp_path):
    """As long as two are left."""
    paths = written(
        tmp_path,
        *[numbered(n, duration_ms=100.0 * (n + 1)) for n in range(3)],
    )
    index = still_index(tmp_path)
    paths[2].unlink()

    assert pair_in(index).slowest.duration_ms == 200.0
    paths[1].unlink()
    assert pair_in(index) is None
