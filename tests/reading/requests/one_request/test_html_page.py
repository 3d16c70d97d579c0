# SPDX-License-Identifier: Apache-2.0
"""The page of a request in HTML: any record has one, and it runs nothing."""

from __future__ import annotations

import re

from builders import parallel_detail, slow_rebuild
from hypothesis import given, settings
from odd_records import odd_records

from nova_profiler.reading.requests.one_request import waterfall
from nova_profiler.reading.requests.one_request.html_page import page_of
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    View,
)
from nova_profiler.reading.requests.one_request.waterfall import (
    Span,
    calls_in,
    levels_of,
    waterfall_of,
    whole_span,
)
from nova_profiler.record import RequestRecord, TimelineEntry


def test_links_of_a_page_alone_stay_in_it():
    """It is a file then: there is no server that would answer."""
    page = page_of(slow_rebuild())

    links = set(re.findall(r'href="([^"]*)"', page))
    assert {link[1:] for link in links} <= set(re.findall(r'id="(\w+)"', page))
    assert {link[0] for link in links} == {"#"}
    assert "<form" not in page
    assert page.count("ms on</title>") + page.count("ms on\n") == len(
        slow_rebuild().timeline
    )


def test_the_policy_of_the_page_allows_its_own_style_alone():
    """By its hash, in the file as well."""
    page = page_of(slow_rebuild())

    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page
    assert "unsafe" not in page


def test_calls_stand_below_what_made_them():
    """By time: a call that others run around has their number as level."""
    record = parallel_detail()

    [own, *others] = waterfall_of(
        calls_in(record, whole_span(record)), whole_span(record)
    ).lanes

    assert [box.level for box in own.boxes] == [0, 1]
    assert [lane.number for lane in others] == [1, 2, 3]
    assert own.boxes[0].left == 10 / 400
    assert own.boxes[0].width == 150 / 400


def test_a_part_of_the_time_has_the_calls_that_ran_in_it():
    """Cut at its ends."""
    record = slow_rebuild()
    span = Span(100.0, 420.0)

    calls = calls_in(record, span)
    [lane] = waterfall_of(calls, span).lanes

    assert [call.start_ms for call in calls] == [40.0, 400.0, 410.0]
    assert lane.boxes[0].left == 0.0
    assert lane.boxes[0].width == 60 / 320
    assert lane.boxes[1].left + lane.boxes[1].width == 1.0


def test_the_longest_calls_have_a_place_in_the_picture():
    """A request of very many calls has the others counted."""
    record = RequestRecord()
    record.duration_ms = 6e5
    record.timeline = [
        TimelineEntry("sql", "SELECT x", 10.0 * n, 1.0 + n % 2)
        for n in range(waterfall.MOST_CALLS + 3000)
    ]

    picture = waterfall_of(
        calls_in(record, whole_span(record)), whole_span(record)
    )

    assert picture.left_out == 3000
    assert len(picture.lanes[0].boxes) < waterfall.MOST_BOXES
    assert sum(box.calls for box in picture.lanes[0].boxes) == 20_000


def test_narrow_calls_side_by_side_are_one_box():
    """With their number, their sum, their time, and the longest of them."""
    record = RequestRecord()
    record.duration_ms = 10_000.0
    record.timeline = [
        TimelineEntry("sql", "a", 100.0, 1.0),
        TimelineEntry("sql", "b", 102.0, 3.0),
        TimelineEntry("sql", "c", 106.0, 2.0),
        TimelineEntry("sql", "far", 500.0, 1.0),
        TimelineEntry("http", "wide", 600.0, 100.0),
    ]

    [lane] = waterfall_of(
        calls_in(record, whole_span(record)), whole_span(record)
    ).lanes

    assert [(box.call.name, box.calls, box.ms) for box in lane.boxes] == [
        ("b", 3, 6.0),
        ("far", 1, 1.0),
        ("wide", 1, 100.0),
    ]
    assert lane.boxes[0].span == Span(100.0, 108.0)


def test_calls_that_end_together_and_calls_that_overlap():
    """One that begins as another ends is not inside it."""
    calls = [
        TimelineEntry("sql", "a", 0.0, 10.0),
        TimelineEntry("sql", "b", 0.0, 5.0),
        TimelineEntry("sql", "c", 5.0, 10.0),
        TimelineEntry("sql", "d", 12.0, 1.0),
    ]

    assert levels_of(calls) == [0, 1, 1, 2]


@settings(max_examples=40)
@given(odd_records())
def test_any_record_has_a_page(record):
    """Whatever its parts are, and however they fit together."""
    for view in (None, View(), View(Span(1.0, 2.0), 7, "x", True)):
        assert page_of(record, None, view).endswith("</html>")
