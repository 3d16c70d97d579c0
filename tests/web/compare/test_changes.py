# SPDX-License-Identifier: Apache-2.0
"""Parts and calls that changed, the largest change first."""

from __future__ import annotations

import pytest
from builders import numbered, written
from web_pages import still_index

from nova_profiler.record import CallTotals
from nova_profiler.web.compare.changes import (
    changes_of_calls,
    changes_of_parts,
)
from nova_profiler.web.together.opening import Opener


def opened(folder, sql_ms, calls, count=10):
    """Return the sums of *count* requests written to *folder*."""
    folder.mkdir()
    written(
        folder,
        *[
            numbered(
                n,
                breakdown_ms={"sql": sql_ms + n % 3, "python": 30.0 + n % 7},
                calls=[
                    CallTotals("db_api", name, number, ms, ms)
                    for name, number, ms in calls
                ],
            )
            for n in range(count)
        ],
    )
    index = still_index(folder)
    return Opener(index, patience_s=60.0).of(index.rows)


def test_a_part_that_changed_is_sure(tmp_path):
    """One that did not is not."""
    a = opened(tmp_path / "a", 10.0, [])
    b = opened(tmp_path / "b", 50.0, [])

    sql, python = changes_of_parts(a, b)

    assert (sql.name, sql.verdict) == ("sql", "slower")
    assert sql.change_ms == pytest.approx(40.0)
    assert (python.change_ms, python.verdict) == (0.0, "unsure")
    assert changes_of_parts(b, a)[0].verdict == "faster"


def test_calls_that_only_one_side_has(tmp_path):
    """Count none on the other."""
    a = opened(tmp_path / "a", 10.0, [("get", 2, 8.0)])
    b = opened(tmp_path / "b", 10.0, [("get", 2, 8.0), ("update", 3, 30.0)])

    new, same = changes_of_calls(a, b)

    assert (new.name, new.a_calls, new.b_calls) == ("update", 0.0, 3.0)
    assert (new.change_ms, new.verdict) == (30.0, "slower")
    assert (same.name, same.change_ms) == ("get", 0.0)


def test_few_requests_make_nothing_sure(tmp_path):
    """However large a change is."""
    a = opened(tmp_path / "a", 10.0, [], count=4)
    b = opened(tmp_path / "b", 900.0, [])

    assert {one.verdict for one in changes_of_parts(a, b)} == {"unsure"}
