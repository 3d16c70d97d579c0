# SPDX-License-Identifier: Apache-2.0
"""The picture of one request: no records make it fail or endless."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import ClassVar

import pytest
from created_servers import created, rebuilt
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_served import SERVED
from rich.console import Console

from nova_profiler.reading.over_services.figures import figures_of
from nova_profiler.reading.over_services.html_page import (
    most_boxes,
    page_of,
)
from nova_profiler.reading.over_services.markdown import picture_lines
from nova_profiler.reading.over_services.page import print_picture
from nova_profiler.reading.over_services.picture import (
    IMPOSSIBLE,
    Picture,
    picture_of,
)
from nova_profiler.reading.over_services.relations.links import (
    NO_SUCH_CALL,
    PARENT_MISSING,
)
from nova_profiler.reading.over_services.relations.served import (
    Served,
    served_of,
)
from nova_profiler.reading.over_services.rows import rows_of
from nova_profiler.reading.over_services.words import first_lines, named


def picture(one) -> Picture:
    return picture_of(
        one.request_id, [served_of(record) for record in one.records]
    )


def text_of(
    shown: Picture, width: int = 80, full: bool = False, encoding="utf-8"
) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding, errors="replace")
    console = Console(
        file=file, width=width, force_terminal=True, color_system=None,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    print_picture(console, shown, full=full)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def test_the_post_in_three_lines():
    """The time is in nova-api, before it casts: the first three lines say."""
    lines = text_of(picture(rebuilt())).splitlines()[:3]

    assert lines == [
        "POST /v2.1/servers/{id}/action rebuild 202 3117.4 ms",
        "Until the answer, 3.12 s: nova-api 100 % (before casting "
        "rebuild_instance)",
        "Until all was done, 3.16 s: nova-api 3.10 s 98 %, nova-compute "
        "54.8 ms 2 %",
    ]


def test_a_create_in_three_lines():
    """Both ways: to the answer, and to the end, with its reason."""
    lines = text_of(picture(created()), 100).splitlines()[:3]

    assert " ".join(line.strip() for line in lines) == (
        "POST /v2.1/servers 202 620.0 ms: nova-api 0.62 s 100 % (before "
        "casting schedule_and_build_instances) "
        "Until all was done, 7.00 s: nova-compute 73 % (event "
        "network-vif-plugged, 4.00 s), nova-api 9 %, nova-conductor 7 %, "
        "broker 4 %, in line for workers 3 %, nova-scheduler 3 %, others 2 %"
    )


def test_the_waterfall_of_a_create():
    """Each record below what sent it, equal ones as one row."""
    lines = [line.strip() for line in text_of(picture(created())).splitlines()]
    begin = lines.index("What each service did when")

    names = [re.split(r"  +|…", line)[0] for line in lines[begin + 1 :][:9]]
    assert names == [
        "nova-api POST /v2.1/servers",
        "quota_reserve",
        "nova-conductor schedule_and_build_i",
        "nova-scheduler select_destinations",
        "placement GET /allocation_candida",
        "nova-compute build_and_run_instance",
        "nova-compute task ComputeManager.",
        "event network-vif-plugged",
        "nova-conductor 10 x Instance.save",
    ]
    assert "^ answered 0.62 s" in lines[begin + 10]


def test_all_rows_of_a_create():
    """Not folded with --full."""
    text = text_of(picture(created()), full=True)

    assert text.count("Instance.save") == 10


def test_no_line_is_wider_than_the_terminal():
    """80 columns, or 60, with two services on several hosts."""
    one = created()
    one.records[-1].host = "controller-4"
    for width in (60, 80, 120):
        for full in (False, True):
            lines = text_of(picture(one), width, full).splitlines()
            assert max(map(len, lines)) <= width


def test_a_terminal_without_unicode_has_a_picture():
    """Signs of ASCII, and their legend."""
    text = text_of(picture(created()), encoding="ascii")

    assert "# critical path" in text
    assert "?" not in text.replace("i?", "")[:200]


def test_two_hosts_of_a_service_are_two():
    """As follow names them."""
    one = created()
    one.records[1].host = "controller-9"

    names = set(picture(one).names)

    assert {
        "nova-conductor@controller-9",
        "nova-conductor@controller-2",
    } < names


def test_marked_records_say_why():
    """In the row and below the picture."""
    one = created()
    one.records[-1].parent_id = "0123456789abcdef"
    one.records[-1].sent_at = None
    one.records[-2].route = "rpc conductor Instance.forged"

    shown = picture(one)

    assert sorted(shown.doubts.values()) == [NO_SUCH_CALL, PARENT_MISSING]
    text = text_of(shown)
    assert "! nova-conductor Instance.forged" in text
    assert " ".join(text.split()).count("the record of what sent it") == 1


def test_a_clock_decades_off_spoils_no_scale():
    """Without anything sent to it there is no telling by how much."""
    one = created()
    far = one.records[-1]
    far.host, far.sent_at = "elsewhere", None
    far.started_at = far.started_at.replace("2026", "1993")

    shown = picture(one)

    assert shown.doubts == {len(one.records) - 1: IMPOSSIBLE}
    assert shown.end == pytest.approx(7.0, abs=0.01)


@pytest.mark.parametrize("is_task", [False, True])
@pytest.mark.parametrize("field", ["wait_ms", "duration_ms"])
@pytest.mark.parametrize("ms", [1e15, 3 * 86_400_000.0])
def test_a_forged_time_spoils_no_scale(field, ms, is_task):
    """Neither of a task, which is the last to end, nor of a call."""
    one = created(saves=0 if is_task else 1)
    forged = one.records[-1]
    setattr(forged, field, ms)

    shown = picture(one)

    assert shown.doubts == {one.records.index(forged): IMPOSSIBLE}
    # The clock of its host is less sure without it.
    assert shown.end < 7.5
    assert len(text_of(shown)) < 10_000


def test_a_forged_cast_moves_no_clock():
    """Nothing else went to its host: its wait is no difference of clocks."""
    one = rebuilt()
    one.records[1].wait_ms = 1e15

    shown = picture(one)

    assert shown.doubts == {1: IMPOSSIBLE}
    assert shown.until_done.seconds == pytest.approx(3.16)
    assert [clock.offset_s for clock in shown.clocks.clocks] == [0.0]


def test_a_forged_request_is_not_the_clients():
    """Of requests with the id the longest one is, but none of a century."""
    one = created()
    forged = created().records[0]
    forged.record_id, forged.duration_ms = "f" * 16, 1e15
    one.records.append(forged)

    shown = picture(one)

    assert shown.root == 0
    assert shown.doubts[len(one.records) - 1] == IMPOSSIBLE
    assert shown.end == pytest.approx(7.0, abs=0.01)


def test_honest_long_work_stays():
    """A live migration goes on for a day and more."""
    one = rebuilt()
    one.records[1].duration_ms = 40 * 3_600_000.0

    shown = picture(one)

    assert not shown.doubts
    assert shown.until_done.seconds == pytest.approx(144_003.1, abs=1)


def test_a_request_in_one_service_alone_has_a_picture():
    """The messages may all be lost."""
    one = created()

    shown = picture_of(one.request_id, [served_of(one.records[0])])

    assert shown.until_done is None
    assert first_lines(shown, 80) == [
        "POST /v2.1/servers 202 620.0 ms",
        "Until the answer, 0.62 s: nova-api 0.62 s 100 % (quota_reserve, "
        "0.26 s)",
    ]


def test_a_picture_without_the_clients_request():
    """What is left of it is no answer: the cast went on by itself."""
    one = created()

    shown = picture_of(
        one.request_id, [served_of(record) for record in one.records[1:]]
    )

    title, first, last = first_lines(shown, 80)
    assert title == "schedule_and_build_instances 492.0 ms"
    assert first.startswith("Until its end, 0.50 s: nova-scheduler 37 %")
    assert last.startswith("Until all was done, 6.40 s: nova-compute 80 %")


def test_each_kind_is_named_once():
    """The word of its kind stands in a route as well."""
    names = [
        named(Served(kind=kind, title=title, method=method))
        for kind, title, method in (
            ("request", "/v2.1/servers", "GET"),
            ("message", "rpc compute build", "CAST"),
            ("task", "task DEFAULT _build", "task"),
            ("periodic", "periodic Manager.heal", "periodic"),
            ("odd", "odd", "odd"),
        )
    ]

    assert names == [
        "GET /v2.1/servers", "build", "task _build", "periodic Manager.heal",
        "odd",
    ]  # fmt: skip


def test_records_of_log_lines_have_no_timeline():
    """Their sums say what was waited for, as far as there are sums."""
    one = created(skews={})
    for record in one.records:
        record.timeline = record.statements = None

    shown = picture(one)

    assert not shown.doubts or set(shown.doubts) == {3}
    assert shown.until_done.seconds == pytest.approx(7.0, abs=0.01)


def test_figures_have_all_of_it():
    """An object, times in milliseconds, parents by their places."""
    figures = json.loads(json.dumps(figures_of(picture(created()))))

    assert figures["schema"] == 1
    assert figures["until_answer"]["shares"][0]["share"] == 1.0
    assert figures["until_done"]["ms"] == pytest.approx(7000, abs=5)
    assert [one["parent"] for one in figures["records"][:6]] == [
        None, 0, 1, 2, 1, 4,
    ]  # fmt: skip
    first = figures["until_done"]["shares"][-1]
    assert first["reason"]["text"] == "event network-vif-plugged"
    assert {one["host"] for one in figures["clocks"]} == {
        "controller-2", "controller-3", "compute-7",
    }  # fmt: skip


def test_ten_thousand_records_are_drawn():
    """Of one id, all sent by one: a row, and what is beyond is counted."""
    one = created(saves=10_000)

    text = text_of(picture(one), 120)

    assert "10000 x Instance.save" in text
    assert len(text.splitlines()) < 80


class Counted(Picture):
    """Counts how often all of its records are looked at."""

    looked: ClassVar[Counter[str]] = Counter()

    @property
    def begin(self) -> float:
        """Return the first moment of all."""
        self.looked["begin"] += 1
        return super().begin

    @property
    def end(self) -> float:
        """Return the last moment of all."""
        self.looked["end"] += 1
        return super().end


@pytest.mark.parametrize("full", [False, True])
def test_rows_look_at_all_records_once(full):
    """And not once for each row: ten thousand are a hundred million."""
    Counted.looked.clear()
    shown = Counted(*picture(created(saves=20)))

    rows = rows_of(shown, full)

    assert len(rows) > 6
    assert max(Counted.looked.values(), default=0) <= 1


class CountedStretches(list):
    """Counts how often each of it is looked at."""

    looked = 0

    def __iter__(self):
        """Yield each one."""
        for one in list.__iter__(self):
            self.looked += 1
            yield one


def test_figures_look_at_each_stretch_a_few_times():
    """And not once for each holder: each of many records may be one."""
    one = created(saves=300)
    for number, record in enumerate(one.records[6:]):
        record.service = f"service-{number}"
    shown = picture(one)
    stretches = CountedStretches(shown.until_done.stretches)
    shown = shown._replace(
        until_done=shown.until_done._replace(stretches=stretches)
    )

    figures = figures_of(shown)

    assert len(figures["until_done"]["shares"]) > 300
    assert stretches.looked <= 3 * len(stretches)


def test_ten_thousand_services_are_drawn():
    """Each record of one of its own: a row for each, and a share."""
    one = created(saves=10_000, skews={})
    for number, record in enumerate(one.records[6:]):
        record.service = f"service-{number}"

    shown = picture(one)

    assert "shorter rows" in text_of(shown)
    figures = figures_of(shown)
    assert len(figures["until_done"]["shares"]) > 10_000


@settings(max_examples=50)
@given(st.lists(SERVED, min_size=1, max_size=8), st.booleans())
def test_any_records_are_drawn(records, full):
    """Circles, forged parents, copies, clocks decades off, odd names."""
    shown = picture_of("1", records)

    table = "\n".join(picture_lines(shown))
    for form in (text_of(shown, full=full), page_of(shown), table):
        assert "\x1b" not in form
        assert "\u202e" not in form
    json.dumps(figures_of(shown), allow_nan=False)
    for way in (shown.until_answer, shown.until_done):
        if way is not None and way.shares:
            assert sum(one.share for one in way.shares) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rows", "boxes"), [(0, 400), (1, 400), (100, 50), (10_000, 1)]
)
def test_a_page_has_room_for_so_many_boxes(rows, boxes):
    """The more rows, the fewer of each."""
    assert most_boxes(rows) == boxes
