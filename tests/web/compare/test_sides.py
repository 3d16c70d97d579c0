# SPDX-License-Identifier: Apache-2.0
"""Both sides of a comparison are in its URL."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from builders import numbered, written
from hypothesis import given
from hypothesis import strategies as st
from web_pages import still_index

from nova_profiler.web.choice import Choice, ChoiceError
from nova_profiler.web.compare.sides import (
    CompareView,
    Side,
    compare_view_of,
    name_of,
    with_default_sides,
)

SIDES = st.builds(
    Side,
    st.fixed_dictionaries(
        {
            "route": st.sampled_from(["", "GET /v2.1/servers"]),
            "user": st.sampled_from(["", "demo"]),
            "since": st.sampled_from(["", "2026-11-21T10:35:00+00:00"]),
        }
    ).map(lambda fields: Choice(**fields)),
    st.sampled_from(["", "0", "1"]),
)


@given(
    SIDES, SIDES, st.sampled_from(["newest", "slowest"]), st.integers(0, 99)
)
def test_a_link_has_both_sides(a, b, order, frame):
    """What both have in common stands in it once."""
    view = CompareView(a, b, order, frame)
    query = view.link()[1:]

    # A side that chooses less than the other cannot be written in common.
    assert compare_view_of(dict(parse_qsl(query)), 2) == view
    if a == b:
        assert "a_" not in query


def test_a_moment_parts_the_sides():
    """Side a ends where side b begins."""
    view = compare_view_of({"split": "2026-11-21T10:35"}, 1)

    assert view.a.choice.until == view.b.choice.since == "2026-11-21T10:35"
    assert view.a.choice.since == view.b.choice.until == ""


@pytest.mark.parametrize(
    "parameters",
    [{"a_dir": "2"}, {"dir": "x"}, {"b_since": "never"}, {"dumps": "few"}],
)
def test_what_cannot_be_is_refused(parameters):
    """By its name."""
    with pytest.raises(ChoiceError, match="dir|since|dumps"):
        compare_view_of(parameters, 2)


def test_two_directories_are_the_sides(tmp_path):
    """Where the URL names none."""
    for name, count in (("before", 2), ("after", 3)):
        (tmp_path / name).mkdir()
        written(tmp_path / name, *map(numbered, range(count)))
    index = still_index(tmp_path / "before", tmp_path / "after")

    view = with_default_sides(compare_view_of({}, 2), index.rows, 2)

    assert len(view.a.of(index.rows)) == 2
    assert len(view.b.of(index.rows)) == 3
    assert name_of(view.b, ["before", "after"]) == "after, all routes"


def test_the_halves_are_the_sides_of_one_directory(tmp_path):
    """Each request is on one of them."""
    written(tmp_path, *map(numbered, range(10)))
    rows = still_index(tmp_path).rows

    view = with_default_sides(compare_view_of({}, 1), rows, 1)

    assert (len(view.a.of(rows)), len(view.b.of(rows))) == (5, 5)
    assert with_default_sides(
        compare_view_of({}, 1), [], 1
    ).a == view.b.__class__(Choice())
