# SPDX-License-Identifier: Apache-2.0
"""The log that `report` is measured on is what nova's own server writes."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.reading.report import Measured, Reading, figures_of, write_log
from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.report.quick_lines import quick_rows


def test_each_line_is_a_request(tmp_path):
    """Of the form that comes by the million, about 300 bytes long."""
    path = tmp_path / "nova-api.log"
    write_log(path, 500)
    unread = Unread()

    entries = list(entries_of([str(path)], unread))

    assert len(entries) == 500
    assert list(unread) == []
    assert {one.form for one in entries} == {"wsgi.server"}
    assert len({one.route for one in entries}) == 6
    assert not any(row[-1] for row in quick_rows(path.read_bytes()))
    assert 280 < path.stat().st_size / 500 < 340


def test_figures_are_medians():
    """Of pairs, so that one disturbed run decides nothing."""
    runs = [Reading(0.5, 2.0, 4.0), Reading(0.5, 2.5, 4.0), Reading(9, 99, 4)]

    rows = figures_of(Measured(1_000_000, 1, runs, 50.0, 60.0))

    assert [(row.value, row.met) for row in rows[:2]] == [
        (400_000, True), (2.0, True),
    ]  # fmt: skip
