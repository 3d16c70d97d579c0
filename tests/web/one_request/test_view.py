# SPDX-License-Identifier: Apache-2.0
"""The part of a request that its page shows is in the URL, or is all."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from builders import slow_rebuild
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.requests.one_request.waterfall import Span
from nova_profiler.web.one_request.view import view_of

RECORD = slow_rebuild()


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View(Span(40.0, 160.0)),
        View(Span(0.125, 0.25), 7, "orm & <b>", True, 3, True, "waits"),
    ],
)
def test_a_link_leads_back_to_the_view(view):
    """With all of it."""
    query = dict(parse_qsl(view.link().removeprefix("?")))

    assert view_of(query, RECORD) == view


@given(
    st.dictionaries(
        st.sampled_from(
            ["from_ms", "to_ms", "frame", "find", "calls", "call", "time"]
        ),
        st.text(max_size=20)
        | st.sampled_from(["nan", "inf", "-1", "1e300", "9" * 400, "5"]),
    )
)
def test_what_cannot_be_is_the_whole_request(query):
    """Nothing is raised, and a span has ends in their order."""
    view = view_of(query, RECORD)

    assert view.span is None or (
        view.span.start_ms <= view.span.end_ms
        and view.span.start_ms <= RECORD.duration_ms
    )
