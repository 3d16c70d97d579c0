# SPDX-License-Identifier: Apache-2.0
"""The page of a comparison: what changed is in sight, the rest folded."""

from __future__ import annotations

import pytest
from compared_times import compare, run_of
from one_file_pages import parts_of

from nova_profiler.reading.runs.compare.html_page import html_of


@pytest.fixture(scope="module")
def found():
    a = run_of(1, calls=200, routes=30)
    b = run_of(2, calls=200, routes=30, slowed={3: 1.5, 4: 0.5})
    return compare(a, b)


def test_what_changed_is_in_sight(found):
    """The slower route first, what stayed below a fold."""
    text, tags = parts_of(html_of(found, 40))

    assert {"details", "circle", "table"} <= tags
    before, _, folded = text.partition("25 more")
    assert "slower GET" in before
    assert "faster GET" in before
    assert "slower GET" not in folded


def test_units_are_in_the_headings(found):
    """And in no cell."""
    text, _ = parts_of(html_of(found, 40))

    assert "p50 A ms p50 B ms p99 A ms p99 B ms change % interval %" in text


def test_the_limit_is_how_many_routes_there_are(found):
    """The others are counted."""
    text, _ = parts_of(html_of(found, 10))

    assert "and 20 that have no place on this page" in text


def test_failures_stand_first(found):
    """As text, whatever a route is called."""
    failed = found._replace(failures=("<script>x</script>\x1b[2J is slower",))

    text, tags = parts_of(html_of(failed, 10))

    assert "failed: <script>x</script>" in text
    assert "script" not in tags


def test_names_are_text_of_a_bounded_length(found):
    """However many and however long they are."""
    long = "</td><script>" + "x" * 4000
    changes = tuple(
        change._replace(route=f"/{n}{long}")
        for n in range(20)
        for change in found.changes
    )

    parts_of(html_of(found._replace(changes=changes, a=long), 10_000))


def test_nothing_compared():
    """A page that says so."""
    none = compare({}, {})

    text, _ = parts_of(html_of(none, 10))

    assert "Nothing could be compared" in text
