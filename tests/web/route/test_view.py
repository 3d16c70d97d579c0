# SPDX-License-Identifier: Apache-2.0
"""What a route's page shows is in its URL, or is refused."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.web.choice import Choice, ChoiceError
from nova_profiler.web.route.view import RouteView, route_view_of

VIEWS = st.builds(
    RouteView,
    st.fixed_dictionaries(
        {
            "route": st.sampled_from(["GET /v2.1/servers", "POST /x act"]),
            "user": st.sampled_from(["", "demo", "a&b=c"]),
            "min_ms": st.sampled_from([0.0, 250.5]),
            "since": st.sampled_from(["", "2026-11-21T10:35:00+00:00"]),
        }
    ).map(lambda fields: Choice(**fields)),
    st.sampled_from(["newest", "slowest"]),
    st.integers(0, 10**9 - 1),
    st.sampled_from(["", "orm.loading"]),
    st.sampled_from(["", "all"]),
)


@given(VIEWS)
def test_a_link_has_all_of_a_view(view):
    """The page behind it is the same."""
    assert route_view_of(dict(parse_qsl(view.link()[1:]))) == view


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"route": " "},
        {"route": "GET /x", "dumps": "all"},
        {"route": "GET /x", "min_ms": "-1"},
    ],
)
def test_what_cannot_be_is_refused(parameters):
    """By its name."""
    with pytest.raises(ChoiceError, match="route|dumps|min_ms"):
        route_view_of(parameters)


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "²", "9" * 30])
def test_what_is_no_function_shows_all(text):
    """A number of stacks as they were once is no reason for an error."""
    assert route_view_of({"route": "GET /x", "frame": text}).frame == 0
