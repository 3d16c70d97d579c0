# SPDX-License-Identifier: Apache-2.0
"""A begin and its end are a request, with the time between."""

from __future__ import annotations

import pytest

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms.begin_and_end import (
    BEGIN,
    END,
    NO_BEGIN,
    NO_END,
    pairs_in,
)
from nova_profiler.reading.logs.unread import Unread


def half(
    form: str, at: float, url: str = "http://x/v3/volumes"
) -> AccessEntry:
    method, status = ("GET", 0) if form == BEGIN else ("", 200)
    return AccessEntry(
        form, "cinder-api", at, method, url, status, 0.0, request_id="req-1"
    )


@pytest.mark.parametrize(
    ("halves", "times", "noted"),
    [
        ([(BEGIN, 1), (END, 3)], [2000.0], {}),
        # The same from two collectors.
        ([(BEGIN, 1), (BEGIN, 1), (END, 3), (END, 3)], [2000.0], {}),
        # A client asks again under its id.
        ([(BEGIN, 1), (END, 2), (BEGIN, 5), (END, 8)], [1000.0, 3000.0], {}),
        ([(BEGIN, 1)], [], {NO_END: 1}),
        ([(END, 1)], [], {NO_BEGIN: 1}),
        ([(BEGIN, 1), (BEGIN, 4), (END, 5)], [1000.0], {NO_END: 1}),
    ],
)
def test_halves_and_their_requests(halves, times, noted):
    """Each half is in a request, or noted."""
    unread = Unread()

    found = list(pairs_in([half(*one) for one in halves], unread))

    assert [one.ms for one in found] == times
    assert {row.kind: row.count for row in unread} == noted
    assert all(one.method == "GET" for one in found)


def test_halves_of_two_urls():
    """A begin of one and an end of another are no request."""
    unread = Unread()
    halves = [half(BEGIN, 1), half(END, 2, "http://x/v3/snapshots")]

    assert list(pairs_in(halves, unread)) == []
    assert {row.kind for row in unread} == {NO_BEGIN, NO_END}
