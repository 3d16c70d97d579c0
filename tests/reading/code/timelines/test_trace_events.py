# SPDX-License-Identifier: Apache-2.0
"""Trace events, against what Perfetto's importer asks for."""

from __future__ import annotations

import json

from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    EXECUTE,
    rebuild_samples,
    session,
    timed_session,
)
from timeline_files import check_trace_events

from nova_profiler.profiles.session_files import Session, read_session
from nova_profiler.reading.code.timelines import trace_events as module
from nova_profiler.reading.code.timelines.left_out import (
    HEADING,
    left_out_of,
)
from nova_profiler.reading.code.timelines.looks import STACKS_TITLE
from nova_profiler.reading.code.timelines.trace_events import trace_events
from nova_profiler.reading.code.timelines.tracks import Source, timelines_of
from nova_profiler.reading.screen.terminal import counted
from nova_profiler.record import TimelineEntry


def slices_of(one, *samples):
    """Return the slices of a record by the names of their threads."""
    stacks = None
    if samples:
        records = session(*samples)["frame_records"]
        stacks = Session(records, "pyinstrument", len(samples), 1.0)
    return slices_with(one, stacks)


def slices_with(one, stacks):
    made = trace_events("t", timelines_of([Source("a", one, stacks)]))
    trace = json.loads(made.content)
    check_trace_events(trace)
    names = {
        event["tid"]: event["args"]["name"]
        for event in trace["traceEvents"]
        if event["name"] == "thread_name"
    }
    found: dict[str, list] = {name: [] for name in names.values()}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            found[names[event["tid"]]].append(event)
    return found


def test_the_request_holds_its_calls():
    """In microseconds, the group as category."""
    slices = slices_of(slow_rebuild())["the request's own thread"]

    request, *calls = slices
    assert request["dur"] == 3_117_400
    assert request["args"]["status"] == "202"
    assert {one["cat"] for one in calls} == {"db_api", "sql"}
    assert any("statement" in one["args"] for one in calls)


def test_each_lane_is_a_thread():
    """With its own calls."""
    threads = slices_of(parallel_detail())

    assert list(threads)[:2] == ["the request's own thread", "lane 1"]
    assert all(threads.values())


def test_calls_that_overlap_have_a_row_of_their_own():
    """No slice of a damaged record is lost or bent."""
    timeline = [
        TimelineEntry("sql", "SELECT a", 0.0, 20.0),
        TimelineEntry("sql", "SELECT b", 10.0, 20.0),
    ]

    threads = slices_of(record(timeline=timeline))

    assert [one["name"] for one in threads["the request's own thread"]] == [
        "GET /v2.1/servers",
        "SELECT a",
    ]
    [over] = threads["the request's own thread, overlapping 1"]
    assert (over["name"], over["ts"], over["dur"]) == (
        "SELECT b",
        10_000,
        20_000,
    )


def test_callers_that_neighbours_share_are_one_slice():
    """As wide as all that they called."""
    slices = slices_of(slow_rebuild(), *rebuild_samples())[STACKS_TITLE]

    widths = {one["name"]: one["dur"] for one in slices}
    assert len(slices) == 6
    assert widths["webob.dec:__call__"] == 1_000_000
    assert widths["nova.compute.api:rebuild"] == 800_000
    [waits] = [one for one in slices if one["cat"] == "waiting"]
    assert waits["dur"] == 200_000


def test_stacks_of_a_lane_stand_below_its_calls():
    """At their times; what callers share ends where there was no look."""
    content = timed_session(
        (1, [DISPATCH, CONTROLLER], 10.0, 20.0),
        (0, [API], 12.0, 3.0),
        (1, [DISPATCH, EXECUTE], 30.0, 4.0),
        (1, [DISPATCH, CONTROLLER], 40.0, 2.0),
    )
    session = read_session(json.dumps(content).encode())

    threads = slices_with(parallel_detail(), session)

    assert list(threads)[:4] == [
        "the request's own thread",
        "the request's own thread: stacks",
        "lane 1",
        "lane 1: stacks",
    ]
    assert STACKS_TITLE not in threads
    found = threads["lane 1: stacks"]
    assert {
        (one["name"].rpartition(":")[2], one["ts"], one["dur"])
        for one in found
    } == {
        ("__call__", 10_000, 24_000),
        ("_action", 10_000, 20_000),
        ("do_execute", 30_000, 4_000),
        ("__call__", 40_000, 2_000),
        ("_action", 40_000, 2_000),
    }
    assert all(threads["lane 1"])


def test_slices_of_stacks_are_bounded(monkeypatch):
    """However many stacks a file has: the callers stay, for all the time."""
    monkeypatch.setattr(module, "MOST_SLICES", 3)

    slices = slices_of(slow_rebuild(), *rebuild_samples())[STACKS_TITLE]

    assert {
        one["name"].rpartition(":")[2]: round(one["dur"]) for one in slices
    } == {"__call__": 1_000_000, "_action": 1_000_000, "rebuild": 800_000}


def test_each_request_has_its_share_of_the_slices(monkeypatch):
    """The first of many leaves room for the stacks of the others."""
    monkeypatch.setattr(module, "MOST_SLICES", 4)
    records = session(*rebuild_samples())["frame_records"]
    stacks = Session(records, "pyinstrument", 100, 1.0)
    sources = [Source(name, slow_rebuild(), stacks) for name in "ab"]

    trace = json.loads(trace_events("t", timelines_of(sources)).content)

    found = [
        one["pid"]
        for one in trace["traceEvents"]
        if one["ph"] == "X" and "at" in one["args"]
    ]
    assert found == [1, 1, 2, 2]


def test_a_long_text_is_cut():
    """Each event has its texts anew."""
    timeline = [TimelineEntry("sql", "x" * 9000, 0.0, 1.0, error="y" * 9000)]

    _, call = slices_of(record(timeline=timeline))["the request's own thread"]

    assert len(call["name"]) == len(call["args"]["error"]) == 500
    assert call["name"].endswith("x...")


calls = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2))


@given(st.lists(calls, max_size=40))
def test_each_call_is_a_slice_or_is_counted(found):
    """However many of a lane overlap; what is left out stands in the file."""
    timeline = [
        TimelineEntry("sql", "SELECT", float(start), float(ms), lane=lane)
        for start, ms, lane in found
    ]
    one = record(timeline=timeline)
    timelines = timelines_of([Source("a", one, None)])

    content, left_out = trace_events("t", timelines)

    trace = json.loads(content)
    slices = [each for each in trace["traceEvents"] if each["ph"] == "X"]
    lacking = 1 + len(found) - len(slices)
    assert left_out_of(one) == left_out
    if not lacking:
        assert left_out == []
        assert HEADING not in trace["otherData"]
        return
    [line] = left_out
    assert line.startswith(f"{counted(lacking, 'call')} left out: Perfetto ")
    assert trace["otherData"][HEADING] == line
    assert slices[0]["args"][HEADING] == line


def test_calls_that_overlap_too_often_are_counted():
    """So many rows has a lane, with the request in the first of them."""
    timeline = [
        TimelineEntry("sql", "SELECT", float(at), 20.0) for at in range(12)
    ]
    one = record(timeline=timeline)

    made = trace_events("t", timelines_of([Source("a", one, None)]))

    assert list(made.left_out) == [
        "4 calls left out: Perfetto has 8 rows for calls of a lane that "
        "overlap"
    ]
