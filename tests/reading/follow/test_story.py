# SPDX-License-Identifier: Apache-2.0
"""The story of a request: its rows, its gaps, and clocks that err."""

from __future__ import annotations

import io
import json

import pytest
from followed import MESSAGE, NEUTRON, REQUEST, access, line, rebuild, story
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from nova_profiler.reading.follow.markdown import markdown_of
from nova_profiler.reading.follow.page import print_story
from nova_profiler.reading.follow.rows import BEGIN
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.search import FollowedRequest
from nova_profiler.reading.follow.story import figures_of, story_of
from nova_profiler.reading.logs.entries import AccessEntry

DRIVER = "oslo_messaging._drivers.amqpdriver"


def kinds(found) -> list[tuple[str, str]]:
    return [(row.service, row.kind) for row in found.rows]


def held(found) -> dict[str, float]:
    return {one.holder: round(one.ms, 3) for one in found.held}


def rpc(clock: str, message: str, *, pid: int = 71, ids: str = "") -> str:
    """Return a debug line of oslo.messaging."""
    return line(
        clock,
        message,
        ids=ids or f"None {REQUEST}",
        logger=DRIVER,
        level="DEBUG",
        pid=pid,
    )


def test_the_posts_slow_rebuild(tmp_path):
    """The time went in nova-api: compute had it for a fifteenth of it."""
    found = story(tmp_path, rebuild())

    assert kinds(found) == [
        ("nova-api", "begin"),
        ("nova-api", "line"),
        ("nova-api", "rpc"),
        ("nova-compute", "rpc"),
        ("nova-compute", "line"),
        ("nova-api", "line"),
        ("nova-compute", "line"),
    ]
    # From the begin, 52.500, to the end in compute, 55.820. Before the
    # access line either may have been at work; after it only compute.
    assert held(found) == {
        "nova-api": 3100.0,
        "nova-compute": 130.0,
        "between nova-api and nova-compute": 90.0,
    }
    assert found.largest_gap is not None
    assert (found.largest_gap.ms, found.largest_gap.holder) == (
        pytest.approx(3000.0),
        "nova-api",
    )
    assert found.rows[found.largest_gap.row].text.endswith("rebuild")
    assert sum(one.share for one in found.held) == pytest.approx(1.0)


def test_the_begin_comes_from_the_line_that_ends_it(tmp_path):
    """A request is logged when it ends: it began so much earlier."""
    found = story(tmp_path, {"nova-api.log": [access("00:53:55.700", 3.2)]})

    assert kinds(found) == [("nova-api", "begin"), ("nova-api", "line")]
    assert held(found) == {"nova-api": 3200.0}
    assert found.rows[0].text == "POST /v2.1/servers/{id}/action begins"


def test_no_begin_where_an_earlier_line_is_known(tmp_path):
    """A clock read at another moment is no reason for another row."""
    logs = {
        "nova-api.log": [
            line("00:53:52.400", "first"),
            access("00:53:55.700", 3.2),
        ]
    }

    assert kinds(story(tmp_path, logs)) == 2 * [("nova-api", "line")]


def test_db_api_lines_are_one_row(tmp_path):
    """Count and sum of those that follow each other, within one service."""
    calls = [
        "nova.db.main.api.instance_get 0.120 sec",
        "nova.db.main.api.instance_get 0.080 sec",
        "nova.db.main.api.quota_get 0.010 sec",
    ]
    logs = {
        "nova-api.log": [
            line("00:01:00.000", "begin"),
            *(
                line(
                    f"00:01:00.0{number}0", call, logger="nova_profiler.calls"
                )
                for number, call in enumerate(calls, 1)
            ),
            line("00:01:01.000", calls[2], logger="nova_profiler.calls"),
            line("00:01:01.500", "end"),
        ]
    }

    found = story(tmp_path, logs)

    folded = found.rows[1]
    assert [row.kind for row in found.rows] == ["line", "db", "db", "line"]
    assert (folded.calls, folded.ms) == (3, pytest.approx(210.0))
    assert folded.text == (
        "DB API, 3 calls, 210.0 ms: 2 x instance_get, quota_get"
    )
    assert found.held[0].db_calls == 4
    assert found.held[0].db_ms == pytest.approx(220.0)
    assert held(found) == {"nova-api": 1500.0}


def call(clock: list[str]) -> dict[str, list[str]]:
    """Return an RPC call with its four steps at these times."""
    sent, received, replied, answered = clock
    return {
        "nova-api.log": [
            line("00:01:00.000", "before"),
            rpc(
                sent,
                f"CALL msg_id: {MESSAGE} exchange 'nova' topic 'conductor'",
            ),
            rpc(answered, f"received reply msg_id: {MESSAGE}", ids="-"),
            line("00:01:09.000", "after"),
        ],
        "nova-conductor.log": [
            rpc(received, f"received message msg_id: {MESSAGE} reply to r"),
            rpc(replied, f"sending reply msg_id: {MESSAGE} reply queue: r"),
        ],
    }


def test_an_rpc_call_in_both_services(tmp_path):
    """On the way there and back is neither's; the rest is conductor's."""
    logs = call(
        ["00:01:01.000", "00:01:01.100", "00:01:03.100", "00:01:03.200"]
    )

    found = story(tmp_path, logs)

    assert held(found) == {
        "nova-api": 6800.0,
        "nova-conductor": 2000.0,
        "between nova-api and nova-conductor": 200.0,
    }
    assert found.skews == []
    assert found.held[0].rpc_calls == 1
    assert found.held[0].rpc_ms == pytest.approx(2200.0)


def test_an_rpc_call_whose_other_side_has_no_log(tmp_path):
    """A service that waits for an answer does not hold the time."""
    logs = call(
        ["00:01:01.000", "00:01:01.100", "00:01:03.100", "00:01:03.200"]
    )
    del logs["nova-conductor.log"]

    found = story(tmp_path, logs)

    assert held(found) == {"nova-api": 6800.0, "conductor by RPC": 2200.0}


def test_quick_rpc_calls_are_one_row(tmp_path):
    """Calls whose answer came at once, with count and sum."""
    logs = {
        "nova-compute.log": [
            line("00:01:00.000", "before"),
            *(
                text
                for number in range(3)
                for text in (
                    rpc(
                        f"00:01:01.{number}00",
                        f"CALL msg_id: {number:032x} exchange 'nova' "
                        "topic 'conductor'",
                    ),
                    rpc(
                        f"00:01:01.{number}20",
                        f"received reply msg_id: {number:032x}",
                    ),
                )
            ),
            line("00:01:09.000", "after"),
        ]
    }

    found = story(tmp_path, logs)

    assert found.rows[1].text == (
        "RPC, 3 calls, 3 answers, answers took 60.0 ms: conductor"
    )
    assert (found.rows[1].calls, len(found.rows)) == (3, 3)
    assert found.held[0].rpc_ms == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("clock", "behind", "ahead", "why"),
    [
        (
            ["00:01:01.000", "00:01:00.700", "00:01:03.100", "00:01:03.200"],
            "nova-conductor",
            "nova-api",
            "received",
        ),
        (
            ["00:01:01.000", "00:01:01.100", "00:01:03.500", "00:01:03.200"],
            "nova-api",
            "nova-conductor",
            "answer",
        ),
    ],
)
def test_an_answer_before_its_call_is_a_clock(
    tmp_path, clock, behind, ahead, why
):
    """Which clock is behind the other, and by how much at least."""
    (skew,) = story(tmp_path, call(clock)).skews

    assert (skew.service, skew.other) == (behind, ahead)
    assert skew.ms == pytest.approx(300.0)
    assert why in skew.why


def test_an_http_answer_before_its_end_is_a_clock(tmp_path):
    """Neutron's line says it ended after nova had the answer."""
    logs = {
        "nova-api.log": [
            line("00:01:01.000", f"GET call used request id {NEUTRON}")
        ],
        "neutron-server.log": [
            access("00:01:01.400", 0.1, ids=f"{REQUEST} {NEUTRON}")
        ],
    }

    (skew,) = story(tmp_path, logs).skews

    assert (skew.service, skew.other) == ("nova-api", "neutron-server")
    assert skew.ms == pytest.approx(400.0)


def test_lines_before_the_begin_are_a_clock(tmp_path):
    """Nothing of a request can be older than the request."""
    logs = {
        "nova-api.log": [access("00:01:01.000", 0.5)],
        "nova-compute.log": [line("00:01:00.000", "build")],
    }

    (skew,) = story(tmp_path, logs).skews

    assert (skew.service, skew.other) == ("nova-compute", "nova-api")
    assert skew.ms == pytest.approx(500.0)


def test_a_few_milliseconds_are_no_clock(tmp_path):
    """Lines are written a little late, and times are rounded."""
    logs = call(
        ["00:01:01.000", "00:01:00.997", "00:01:03.100", "00:01:03.098"]
    )

    assert story(tmp_path, logs).skews == []


def test_a_request_to_another_service(tmp_path):
    """Until the other's request begins the caller holds it."""
    logs = {
        "nova-api.log": [
            line("00:01:00.000", "asks for ports"),
            line("00:01:02.100", f"GET call used request id {NEUTRON}"),
            access("00:01:02.500", 2.5),
        ],
        "neutron-server.log": [
            access("00:01:02.000", 1.5, ids=f"{REQUEST} {NEUTRON}")
        ],
    }

    found = story(tmp_path, logs)

    assert held(found) == {"neutron-server": 1500.0, "nova-api": 1000.0}


def test_a_line_without_a_time_stays_at_its_place(tmp_path):
    """It is shown there, a line of its own."""
    logs = {
        "nova-api.log": [
            line("00:01:00.000", "before"),
            f"wrapped {REQUEST}",
            line("00:01:01.000", "after"),
        ],
    }

    found = story(tmp_path, logs)

    assert [row.text for row in found.rows] == [
        "before",
        f"wrapped {REQUEST}",
        "after",
    ]
    assert held(found) == {"nova-api": 1000.0}


def test_lines_that_have_no_time_at_all(tmp_path):
    """Shown, and nothing is divided by nothing."""
    found = story(
        tmp_path, {"a.log": [f"{REQUEST} one", "", f"{REQUEST} two"]}
    )

    assert found.ms == 0
    assert found.largest_gap is None
    assert (found.rows, found.held) == ([], [])
    assert [row.text for row in found.apart] == [
        f"{REQUEST} one",
        f"{REQUEST} two",
    ]


def test_a_service_on_two_hosts_is_two(tmp_path):
    """A live migration is logged by both."""
    head = "devstack@n-cpu.service[9]: INFO nova.compute.manager"
    logs = {
        "journal": [
            f"Nov 21 00:01:0{number} host{number} {head} "
            f"[None {REQUEST} admin admin] hello"
            for number in range(2)
        ]
    }

    found = story(tmp_path, logs)

    assert {row.service for row in found.rows} == {
        "nova-compute@host0",
        "nova-compute@host1",
    }


def test_figures_are_json(tmp_path):
    """All of it, each line with its place."""
    figures = json.loads(json.dumps(figures_of(story(tmp_path, rebuild()))))

    assert figures["request_id"] == REQUEST
    assert figures["ms"] == pytest.approx(3320.0)
    assert figures["started_at"] == "2026-11-21T00:53:52.500+00:00"
    assert figures["entry"]["status"] == 202
    assert figures["searched"]["lines_found"] == 6
    assert [row["since_ms"] for row in figures["rows"]][:3] == [
        0.0,
        100.0,
        3100.0,
    ]
    assert figures["rows"][1]["gap_after"] == {
        "ms": 3000.0,
        "holder": "nova-api",
    }
    assert figures["rows"][0]["lines"] == []
    assert figures["rows"][1]["lines"][0]["source"].endswith("nova-api.log")


LINES = st.builds(
    LogLine,
    at=st.none() | st.integers(0, 3000).map(lambda ms: 1e9 + ms / 1000),
    service=st.sampled_from(["nova-api", "nova-compute", "conductor"]),
    message=st.sampled_from(
        [
            "text",
            "nova.db.main.api.instance_get 0.120 sec",
            f"CALL msg_id: {MESSAGE} exchange 'nova' topic 'compute.host1'",
            f"received message msg_id: {MESSAGE} reply to r",
            f"sending reply msg_id: {MESSAGE} reply queue: r",
            f"received reply msg_id: {MESSAGE}",
            "Making synchronous call on conductor ...",
            f"GET call used request id {NEUTRON}",
        ]
    ),
    request_id=st.sampled_from([REQUEST, NEUTRON, None]),
    source=st.sampled_from(["a", "b"]),
    more=st.sampled_from([(), ("Traceback",)]),
    entry=st.none()
    | st.builds(
        lambda ms: AccessEntry("f", "s", 1e9 + 2, "GET", "/", 200, ms),
        st.integers(0, 4000).map(float),
    ),
)


@settings(deadline=None)
@given(
    lines=st.lists(
        LINES,
        min_size=1,
        max_size=12,
        # A line that two files have counts once.
        unique_by=lambda line: (line.at, line.message),
    )
)
def test_whatever_is_logged_the_sums_are_right(lines):
    """The time is held once: all parts together are the whole."""
    found = story_of(FollowedRequest(REQUEST, (), lines, 1, 1, 0))

    shown = [
        line
        for row in (*found.rows, *found.apart)
        if row.kind != BEGIN
        for line in row.lines
    ]
    assert len(shown) == len(lines)
    assert sum(line.at is None for line in shown) == sum(
        line.at is None for line in lines
    )
    assert [row.at for row in found.rows] == sorted(
        row.at for row in found.rows
    )
    assert sum(one.ms for one in found.held) == pytest.approx(
        found.ms, abs=0.01
    )
    assert all(skew.ms > 0 for skew in found.skews)
    json.dumps(figures_of(found))
    print_story(Console(file=io.StringIO()), found, whole=False)
    assert markdown_of(found)
