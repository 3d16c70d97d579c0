# SPDX-License-Identifier: Apache-2.0
"""When py-spy records, and which requests get what it recorded."""

from __future__ import annotations

import errno
import json
import sys

import pytest

from nova_profiler.capture.profilers.pyspy import pace
from nova_profiler.capture.profilers.pyspy import watch as watch_module
from nova_profiler.capture.profilers.pyspy.request_tags import TagPool
from nova_profiler.capture.profilers.pyspy.result import NOT_BEGUN, UNKNOWN
from nova_profiler.capture.profilers.pyspy.schedule import (
    ALLOWED_S,
    IDLE_S,
    LINGER_S,
    LONGEST_S,
    SHORTEST_S,
    TRIAL_S,
    Schedule,
)
from nova_profiler.capture.profilers.pyspy.watch import (
    CHANGED,
    FOLLOWS,
    SILENT,
    SILENT_S,
    Watches,
)
from nova_profiler.profiles import NOT_LOOKED, SAMPLES_SUFFIX, WAITING
from nova_profiler.record import RequestRecord

STARTING_S = 0.05
CHEAP_S = 0.0002


class FakeRecording:
    """A py-spy that saw what a test gives it."""

    def __init__(self, clock, rate):
        self.clock = clock
        self.rate = rate
        self.running_rate = 10
        # py-spy takes a moment to begin.
        self.asked = clock()
        clock.advance(STARTING_S)
        self.began = clock()
        self.looked_from = self.looked_by = self.running_by = self.began
        self.ended = self.over = 0.0
        self.lines = []
        self.running_lines = []
        self.is_dead = False
        self.look_s = 0.0

    def spent_s(self):
        return self.look_s * self.rate * (self.clock() - self.began)

    def is_over(self):
        return self.is_dead

    def stop(self, take_line, take_running_line):
        self.ended = self.over = self.clock()
        for line in self.lines:
            take_line(line)
        for line in self.running_lines:
            take_running_line(line)
        return True

    def saw(self, watch, place="f (a.py:1)", samples=50):
        self.lines.append(
            f"{watch.tag.name} (t.py:1);{place} {samples}".encode()
        )


class World:
    """A schedule with a fake clock and fake recordings."""

    def __init__(self, clock, tags=256):
        self.clock = clock
        self.watches = Watches(TagPool(tags))
        self.recordings = []
        self.notes = []
        self.refused = None
        # So cheap that any rate may be had: no window closes for it.
        self.look_s = CHEAP_S
        self.schedule = Schedule(
            self.start,
            self.watches,
            lambda *what: self.notes.append(what),
            clock,
        )

    def start(self, rate):
        if self.refused is not None:
            raise self.refused
        recording = FakeRecording(self.clock, rate)
        recording.look_s = self.look_s
        self.recordings.append(recording)
        return recording

    @property
    def open(self):
        return [one for one in self.recordings if not one.ended]

    def run_for(self, seconds):
        end = self.clock() + seconds
        while self.clock() < end:
            self.schedule.tick()
            self.clock.advance(0.1)
        return self.schedule.tick()

    def finished(self, watch, attached=None):
        record = RequestRecord()
        record.started_at = "2026-11-21T10:00:00.000000+00:00"
        record.duration_ms = (self.clock() - watch.began) * 1000
        watch.finish(record)
        if attached is not None:
            record.profiled.attach(lambda *file: attached.append(file))
        return record


@pytest.fixture
def world(clock, monkeypatch):
    monkeypatch.setattr(watch_module, "monotonic", clock)
    monkeypatch.setattr(pace, "FIRST_LOOK_S", CHEAP_S)
    return World(clock)


def test_nothing_starts_before_the_first_request(world):
    """A worker may be forked yet."""
    world.clock.advance(IDLE_S)

    assert world.schedule.tick() is None
    assert not world.recordings


def test_a_request_to_keep_gets_its_stacks(world):
    """When the window in which it ended has closed."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].saw(watch)
    world.clock.advance(1.0)
    record = world.finished(watch, attached)

    assert record.profile["notes"] == [FOLLOWS]
    world.run_for(SHORTEST_S)

    [(suffix, content, profile)] = attached
    assert suffix == SAMPLES_SUFFIX
    assert json.loads(content)["sample_count"] == 50
    assert (profile["engine"], profile["samples"]) == ("pyspy", 50)
    assert FOLLOWS not in profile["notes"]


def test_a_request_that_is_not_kept_is_dropped(world):
    """Its stacks go with the window, its tag is lent again."""
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].saw(watch)
    world.finished(watch)

    world.run_for(2 * LONGEST_S)

    assert not world.watches.live
    assert world.watches.pool.left == world.watches.pool.size


def test_a_window_closes_soon_after_a_request_to_keep(world):
    """But not at once: others may follow, and py-spy's start costs."""
    watch = world.watches.begin()
    world.run_for(SHORTEST_S + 1)
    world.finished(watch, [])

    world.run_for(LINGER_S - 0.5)
    assert not world.recordings[0].ended
    world.run_for(1.0)
    assert world.recordings[0].ended


def test_the_next_window_opens_before_the_last_one_closes(world):
    """No request falls into a gap."""
    world.watches.begin()

    world.run_for(LONGEST_S + 1)

    first, second = world.recordings[:2]
    assert second.began <= first.ended


def test_a_request_of_several_windows_has_the_stacks_of_all(world):
    """A slow request may be slower than a window is long."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].saw(watch, "f (a.py:1)", 40)
    world.run_for(LONGEST_S + 1)
    world.open[0].saw(watch, "f (a.py:1)", 20)
    world.finished(watch, attached)

    world.run_for(SHORTEST_S + LINGER_S)

    [(_, content, _)] = attached
    assert json.loads(content)["sample_count"] == 60


def test_a_tag_is_not_lent_before_its_windows_closed(clock, monkeypatch):
    """Or a stack would be taken for another request's."""
    monkeypatch.setattr(watch_module, "monotonic", clock)
    world = World(clock, tags=1)
    watch = world.watches.begin()
    world.run_for(0.5)
    world.finished(watch)

    assert world.watches.begin() is None
    world.run_for(LONGEST_S)
    assert world.watches.begin().tag is watch.tag


def test_a_request_that_ends_as_a_window_opens_is_seen_in_both(world):
    """py-spy takes its first samples before it is known to have begun."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    first = world.open[0]
    first.saw(watch, samples=30)
    start = world.schedule._start

    def start_as_it_ends(rate):
        recording = start(rate)
        if not watch.ended:
            world.clock.now -= STARTING_S / 2
            world.finished(watch, attached)
            world.clock.now += STARTING_S / 2
            recording.saw(watch, samples=1)
        return recording

    world.schedule._start = start_as_it_ends
    world.run_for(LONGEST_S + SHORTEST_S + 2)

    assert attached[0][2]["samples"] == 31


def test_few_free_tags_close_the_window(clock, world):
    """Many short requests must not use up all names."""
    world = World(clock, tags=16)
    world.schedule.tick()
    for _ in range(14):
        world.finished(world.watches.begin())
    world.schedule.tick()
    world.clock.advance(3.0)

    world.schedule.tick()
    world.schedule.tick()

    assert world.recordings[0].ended
    assert world.watches.pool.left > 8


def test_a_thread_that_outlives_its_request_keeps_the_tag(world):
    """As long as it runs, stacks of that tag turn up."""
    watch = world.watches.begin()
    world.schedule.tick()
    live = []

    def outlive():
        world.finished(watch)
        world.run_for(2 * LONGEST_S)
        live.append(dict(world.watches.live))

    watch.spawned(outlive)()
    world.run_for(LONGEST_S + IDLE_S)

    assert live == [{watch.tag.name: watch}]
    assert not world.watches.live


def test_a_thread_that_begins_after_the_end_has_no_tag(world):
    """The tag is another request's by then."""
    watch = world.watches.begin()
    world.finished(watch)
    world.run_for(IDLE_S + LONGEST_S)
    calls = []

    watch.spawned(calls.append)(1)

    assert calls == [1]
    assert not watch._working


def test_a_body_that_is_never_closed_is_let_go(world):
    """Its tag is lent again, and py-spy may rest."""
    watch = world.watches.begin()

    assert world.run_for(SILENT_S + LONGEST_S) is None

    assert not world.open
    assert not world.watches.live
    assert world.watches.pool.left == world.watches.pool.size
    frames = []
    watch.run(lambda: frames.append(sys._getframe(1).f_code.co_name))
    assert frames == ["run"]


def test_a_request_that_was_let_go_says_so(world):
    """No stacks follow, however late it ends."""
    watch = world.watches.begin()
    world.run_for(SILENT_S + LONGEST_S)

    record = world.finished(watch)

    assert record.profile["notes"] == [SILENT]
    assert record.profiled is None


def test_a_long_call_is_not_silent(world):
    """Something is done for the request all the time."""
    watch = world.watches.begin()

    watch.run(world.run_for, 3 * SILENT_S)

    assert watch.tag.name in world.watches.live
    assert not watch.ended


def test_a_window_that_saw_a_late_thread_keeps_the_tag(world):
    """It opened after the request's end, and before its thread's."""
    watch = world.watches.begin()

    def outlive():
        world.finished(watch)
        world.clock.advance(5.0)

    watch.run(outlive)

    assert watch.is_over(asked=world.clock() + 0.1)
    assert not watch.is_over(asked=world.clock() - 1.0)


def test_what_ends_after_the_engine_waits_for_nothing(world):
    """The option was changed meanwhile."""
    watch = world.watches.begin()
    world.schedule.end()
    world.watches.is_closed = True

    record = world.finished(watch)

    assert record.profile["notes"] == [CHANGED]
    assert record.profiled is None


def test_a_worker_without_requests_is_left_alone(world):
    """py-spy ends some seconds after the last request."""
    world.finished(world.watches.begin())

    assert world.run_for(IDLE_S + 1) is None
    assert not world.open
    assert len(world.recordings) < 4


def test_what_cannot_start_is_told_once_and_tried_again(world):
    """Each time later than the last; the dump has the reason."""
    world.refused = OSError(errno.EPERM, "py-spy may not look")
    attached = []
    watch = world.watches.begin()
    world.run_for(1.0)
    world.finished(watch, attached)
    world.run_for(5.0)

    [(_, content, profile)] = attached
    assert content == b""
    assert "py-spy may not look" in profile["notes"][0]
    assert {what for what, *_ in world.notes} == {"pyspy"}

    world.watches.begin()
    world.run_for(60.0)
    assert 1 < len(world.notes) < 8
    world.refused = None
    world.watches.begin().run(world.run_for, 120.0)
    assert world.open


def test_a_next_recording_that_is_refused_is_no_lack_of_permission(world):
    """The last one could look; it is only counted, and tried again soon."""
    world.watches.begin()
    world.run_for(1.0)
    world.refused = OSError(errno.EPERM, "py-spy may not look")
    world.run_for(LONGEST_S - 0.5)
    world.refused = None
    world.run_for(5.0)

    assert world.notes[0] == ("pyspy_late",)
    assert world.open


def test_a_py_spy_that_dies_is_noticed(world):
    """What it had is lost; it is tried again after a while."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].is_dead = True
    world.clock.advance(1.0)
    world.schedule.tick()
    world.finished(watch, attached)
    world.run_for(0.5)

    assert world.notes == [("pyspy_ended",)]
    assert "ended unasked" in attached[0][2]["notes"][0]
    assert len(world.recordings) == 1
    world.run_for(5.0)
    assert len(world.recordings) == 2


def test_a_window_that_costs_too_much_is_replaced(world):
    """Deep stacks and many threads make a look dear."""
    world.look_s = 0.005
    world.watches.begin()

    world.run_for(5.0)

    first, second = world.recordings[:2]
    assert first.ended - first.began < 3.0
    assert second.rate * world.look_s < 0.02 < first.rate * world.look_s


def test_a_request_that_takes_long_is_looked_at_more_often(world):
    """As long as there are savings; then steadily again."""
    world.look_s = 0.005
    for _ in range(400):
        world.finished(world.watches.begin())
        world.run_for(0.2)
    steady = world.open[0].rate
    world.watches.begin()
    world.run_for(0.5)

    assert world.open[0].rate > 3 * steady
    world.run_for(5.0)
    assert world.open[0].rate <= 1.6 * steady


def test_in_the_long_run_py_spy_takes_its_share_and_no_more(world):
    """Whatever the requests are like."""
    world.look_s = 0.005
    world.watches.begin()
    world.run_for(10.0)
    began = world.clock()
    before = len(world.recordings)

    world.run_for(600.0)

    spent_s = sum(
        one.rate * one.look_s * ((one.ended or world.clock()) - one.began)
        for one in world.recordings[before:]
    )
    assert spent_s < 1.2 * pace.SHARE * (world.clock() - began)


def test_the_interval_is_never_shorter_than_usual(world):
    """However cheap py-spy is."""
    world.look_s = 0.00001
    world.watches.begin()

    world.run_for(LONGEST_S)

    assert max(one.rate for one in world.recordings) == 50


@pytest.mark.parametrize(("interval_ms", "rate"), [(50.0, 20), (5.0, 200)])
def test_an_interval_that_is_asked_for_is_kept_to(world, interval_ms, rate):
    """Whatever it costs, and however long requests are."""
    world.look_s = 0.002
    world.schedule.pace.interval_ms = interval_ms
    world.watches.begin()

    world.run_for(3 * LONGEST_S)

    assert {one.rate for one in world.recordings} == {rate}


def test_no_more_than_half_of_the_time_is_spent_looking(world):
    """Or not much: what a look costs is known with some tolerance."""
    world.look_s = 0.005
    world.schedule.pace.interval_ms = 1.0
    world.watches.begin()

    world.run_for(LONGEST_S)

    assert world.open[0].rate * world.look_s < 0.8


def test_the_end_hands_over_what_there_is(world):
    """A worker that ends does not wait for the window."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].saw(watch)
    world.clock.advance(1.0)
    world.finished(watch, attached)

    world.schedule.end()

    assert attached[0][2]["samples"] == 50
    assert not world.open


def test_a_request_seen_in_part_says_so(world):
    """py-spy was started for it, and came late."""
    attached = []
    watch = world.watches.begin()
    world.clock.advance(1.0)
    world.schedule.tick()
    world.open[0].saw(watch, samples=30)
    world.clock.advance(1.0)
    world.finished(watch, attached)

    world.run_for(SHORTEST_S)

    assert "49%" in attached[0][2]["notes"][0]


def test_a_request_seen_before_py_spy_was_known_to_look_has_its_time(world):
    """Our thread was late: its clock must not make the samples nothing."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    [recording] = world.open
    recording.looked_by = recording.running_by = recording.began + 2.0
    recording.saw(watch, samples=50)
    recording.lines.append(b"supervise_pyspy (x.py:1) 250")
    world.clock.advance(1.0)
    world.finished(watch, attached)
    world.run_for(SHORTEST_S)

    [(_, content, profile)] = attached
    assert profile["interval_ms"] == pytest.approx(20.0, rel=0.25)
    times = [time_s for _, time_s in json.loads(content)["frame_records"]]
    assert sum(times) == pytest.approx(1.0, rel=0.25)
    assert not [note for note in profile["notes"] if "at work in" in note]


def test_a_request_over_before_py_spy_began_says_so(world):
    """Nothing is known of what it did."""
    attached = []
    watch = world.watches.begin()
    world.clock.advance(0.5)
    world.finished(watch, attached)

    world.run_for(2 * LONGEST_S)

    assert NOT_BEGUN in attached[0][2]["notes"][0]


def test_a_request_between_two_looks_says_so(world):
    """py-spy was at work: what the request did took less than a sample."""
    attached = []
    world.watches.begin()
    world.schedule.tick()
    watch = world.watches.begin()
    world.clock.advance(0.01)
    world.finished(watch, attached)

    world.run_for(2 * LONGEST_S)

    assert NOT_LOOKED in attached[0][2]["notes"][0]


def test_where_too_few_looks_tell_what_waits_nothing_is_called_so(world):
    """The dump has a note that all of it is shown as work."""
    attached = []
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].running_by += 3.5
    world.open[0].saw(watch, "raw_decode (json.py:1)")
    world.clock.advance(1.0)
    world.finished(watch, attached)
    world.run_for(SHORTEST_S)

    [(_, content, profile)] = attached
    assert UNKNOWN in profile["notes"]
    assert WAITING.encode() not in content
    assert b"raw_decode" in content


def test_what_two_recordings_saw_at_once_counts_once(world):
    """The next one is at work before the last one ends."""
    attached = []
    watch = world.watches.begin()
    world.run_for(LONGEST_S + 0.5)
    first, second = world.recordings
    # As if they had overlapped for two seconds.
    second.looked_from = second.looked_by = first.ended - 2.0
    world.clock.advance(2.0)
    second.saw(watch, samples=200)
    world.finished(watch, attached)

    world.run_for(SHORTEST_S + LINGER_S)

    assert watch.seen_s - watch.covered_s == pytest.approx(2.0)
    [(_, content, _)] = attached
    [(_, time_s)] = json.loads(content)["frame_records"]
    share = watch.covered_s / watch.seen_s
    assert time_s == pytest.approx(200 * share / second.rate, rel=0.01)


def test_a_dump_that_cannot_be_written_is_only_counted(world):
    """The next one may."""
    watch = world.watches.begin()
    world.schedule.tick()
    world.open[0].saw(watch)
    record = world.finished(watch)

    def full(*file):
        raise OSError(errno.ENOSPC, "disk full")

    record.profiled.attach(full)
    world.run_for(LONGEST_S)

    assert [what for what, *_ in world.notes] == ["profile"]


def test_windows_are_not_shorter_than_they_claim():
    """The figures that the manual gives."""
    assert TRIAL_S < SHORTEST_S < LONGEST_S
    assert LONGEST_S < ALLOWED_S
