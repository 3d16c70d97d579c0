# SPDX-License-Identifier: Apache-2.0
"""Stacks stand in the lane and at the time of the calls they belong to."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from time import perf_counter

import pytest
from timeline_files import check_firefox_profile, rows_of
from waiting import until

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import lane_here, lane_var, taken_along
from nova_profiler.capture.profilers.stacks import engine as module
from nova_profiler.capture.record_making.dump_details import fill_details
from nova_profiler.profiles.session_files import read_session
from nova_profiler.reading.code.timelines.firefox import firefox_profile
from nova_profiler.reading.code.timelines.looks import stacks_of
from nova_profiler.reading.code.timelines.tracks import Source, timelines_of
from nova_profiler.record import RequestRecord

pytestmark = pytest.mark.services

LOOKS = 40
# The clock of a thread that runs is late by up to a tick.
LATE_MS = 10.0


class Looks:
    """How often the reader of this process has looked around."""

    reader = 0

    def count(self):
        stat = Path(f"/proc/{self.reader}/schedstat").read_text().split()
        return int(stat[2])

    def wait(self):
        enough = self.count() + LOOKS
        assert until(lambda: self.count() >= enough)


LOOKED = Looks()


def timed(function):
    """Call *function*; its lane has a call of its name."""
    lane = lane_here()
    began = perf_counter()
    function()
    lane.add(CallKey("timed", function.__name__), (began, perf_counter(), 0))


def first_of_own():
    LOOKED.wait()


def second_of_own():
    LOOKED.wait()


def first_of_child():
    LOOKED.wait()


def second_of_child():
    LOOKED.wait()


def idle_child():
    LOOKED.wait()


CALLS = {
    0: [first_of_own, second_of_own],
    1: [first_of_child, second_of_child],
}


def request():
    """Work in two lanes, and in a third one without a call."""
    children = [
        threading.Thread(target=taken_along(work))
        for work in (idle_child, lambda: list(map(timed, CALLS[1])))
    ]
    for child in children:
        child.start()
    list(map(timed, CALLS[0]))
    for child in children:
        child.join()


@pytest.fixture(scope="module")
def kept():
    """Give a record and the session of its stacks, by the real reader."""
    engine = module.engine(lambda *what: None)
    watch = engine.watch(Capture(NothingServed(), 9), True, 5.0)
    assert until(lambda: engine._sampling.has_worked)
    LOOKED.reader = engine._sampling._child.pid
    capture = Capture(NothingServed(), 1000)
    capture.watch = watch = engine.watch(capture, True, 5.0)
    token = lane_var.set(capture.main)
    watch.run(request)
    lane_var.reset(token)
    capture.close()
    record = RequestRecord()
    record.started_at = "2026-11-21T10:00:00.000000+00:00"
    record.duration_ms = (perf_counter() - capture.started) * 1000
    watch.finish(record)
    fill_details(record, capture)
    attached = []
    record.profiled.attach(lambda *what: attached.append(what))
    assert until(lambda: attached)
    engine.close()
    assert engine.wait_closed(20)
    return record, read_session(attached[0][1])


def functions_in(stack):
    return {frame.function.name for frame in stack.frames}


def test_a_stack_stands_under_its_call(kept):
    """In its lane, at a time at which the call was on, and in its order."""
    record, session = kept
    lanes = stacks_of(session).lanes

    for lane, functions in CALLS.items():
        calls = [one for one in record.timeline if one.lane == lane]
        assert [one.name for one in calls] == [
            function.__name__ for function in functions
        ]
        last_ms = 0.0
        for call in calls:
            found = [
                stack
                for stack in lanes[lane]
                if call.name in functions_in(stack)
            ]
            assert found
            for one in found:
                assert one.start_ms >= last_ms
                last_ms = one.start_ms
                assert one.start_ms < call.start_ms + call.ms
                assert one.start_ms + one.ms > call.start_ms


def test_a_lane_without_calls_has_the_number_behind_the_others(kept):
    """It is in no waterfall, and its stacks are nobody else's."""
    _, session = kept

    lanes = stacks_of(session).lanes

    assert sorted(lanes) == [0, 1, 2]
    for lane, stacks in lanes.items():
        has_idle = any("idle_child" in functions_in(one) for one in stacks)
        assert has_idle == (lane == 2)


def test_the_export_has_one_track_each_lane(kept):
    """Its calls are the markers, its stacks the samples, in its time."""
    record, session = kept
    source = Source("a.json", record, session)

    made = firefox_profile("t", timelines_of([source]))
    profile = json.loads(made.content)
    check_firefox_profile(profile)

    tracks = {one["name"]: one for one in profile["threads"]}
    assert list(tracks)[:3] == [
        "the request's own thread",
        "lane 1",
        "lane 2, without calls",
    ]
    for track in list(tracks.values())[:3]:
        seen = [one for one in rows_of(track["samples"]) if one["weight"]]
        assert seen
        assert seen[0]["time"] >= 0
        assert seen[-1]["time"] <= record.duration_ms + LATE_MS
