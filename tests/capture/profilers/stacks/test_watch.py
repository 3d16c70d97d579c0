# SPDX-License-Identifier: Apache-2.0
"""A request's way through its slots."""

from __future__ import annotations

import gc
import json
import select
from time import perf_counter
from types import SimpleNamespace

import pytest

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import LaneCall
from nova_profiler.capture.profilers.stacks.reader.seen.ends import UNKNOWN
from nova_profiler.capture.profilers.stacks.slot_words import (
    ASLEEP,
    HOME,
    REQUEST,
    THREAD,
    TID,
)
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.watch import StacksWatch
from nova_profiler.profiles.pending import ASKED_FOR, PENDING
from nova_profiler.record import RequestRecord


class Keeper:
    """Stands for the reader's other end."""

    def __init__(self, size=8):
        self.slots = Slots(size)
        self.woken = 0
        self.kept = []
        self.trouble = None

    def wake(self):
        self.woken += 1

    def keep(self, watch):
        self.kept.append(watch.number)
        return self.trouble

    def watch(self):
        return StacksWatch(
            self, self.slots.take(), None, Capture(NothingServed(), 0)
        )

    def live(self):
        """Return the request of each slot that is worked in."""
        words = self.slots.words
        return [
            words[at + REQUEST] for at in range(8, len(words), 8) if words[at]
        ]


@pytest.fixture
def keeper():
    keeper = Keeper()
    yield keeper
    keeper.slots.close_file()


def record():
    record = RequestRecord()
    record.started_at = "2026-11-21T10:00:00.000000+00:00"
    record.duration_ms = 12.5
    return record


def test_a_request_is_live_while_it_runs(keeper):
    """In its thread, and under its own number; after that in no slot."""
    watch = keeper.watch()
    ids = keeper.slots.ids_here()

    def application(value):
        words = keeper.slots.words
        at = next(n for n in range(8, len(words), 8) if words[n])
        assert (words[at + THREAD], words[at + TID]) == ids
        return keeper.live(), words[at + HOME] == at, value

    found = watch.run(application, 3)

    assert found == ([watch.number], True, 3)
    assert keeper.live() == []


def test_what_it_raises_passes(keeper):
    """And its slot is free of it."""
    watch = keeper.watch()

    with pytest.raises(ZeroDivisionError, match="division"):
        watch.run(lambda: 1 / 0)

    assert keeper.live() == []


def test_a_thread_that_works_for_it_has_a_slot_of_its_own(keeper):
    """Of the same request, as long as it works."""
    watch = keeper.watch()

    def application():
        return watch.spawned(lambda one, two: [one, two, keeper.live()])(
            1, two=2
        )

    assert watch.run(application) == [1, 2, [watch.number] * 2]
    assert keeper.live() == []


def test_the_lane_of_a_piece_has_its_number(keeper):
    """By which the reader has its looks; without a slot it has none."""
    capture = Capture(NothingServed(), 9)
    capture.watch = keeper.watch()
    words = keeper.slots.words

    def work():
        return [words[at] for at in range(8, len(words), 8) if words[at]]

    numbers = LaneCall(capture, work)()
    while keeper.slots.take():
        pass
    LaneCall(capture, work)()

    assert [[lane.piece] for lane in capture.lanes] == [[0], numbers, [0]]


def test_a_request_began_with_its_record(keeper):
    """On the reader's clock, which is that of its calls."""
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), None, capture)
    one = record()
    watch.finish(one)

    began_ns, ended_ns, *_ = watch.clocks()
    assert began_ns == int(capture.started * 1e9)
    assert ended_ns - began_ns == 12_500_000
    assert 0 <= watch.ended_ns - began_ns < 60e9
    one.lanes_of_pieces.update({5: 1})
    assert watch.lanes == {5: 1}


@pytest.mark.parametrize(
    ("cpu_ms", "readings", "expected"),
    [
        (2.5, 3, (2_500_000, 4_000_000)),
        (2.5, 0, (2_500_000, UNKNOWN)),
        (None, 3, (UNKNOWN, 4_000_000)),
    ],
)
def test_the_clocks_of_the_whole_request_are_those_of_its_lane(
    keeper, cpu_ms, readings, expected
):
    """What was never read is not taken for nothing."""
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), None, capture)
    capture.main.split_from(capture.started)
    capture.main.split.processor_s = 0.004
    capture.main.split.readings = readings
    one = record()
    one.cpu_ms = cpu_ms

    watch.finish(one)

    assert watch.clocks()[2:] == expected


def test_the_reader_is_told_when_each_piece_was(keeper):
    """From the request's begin on, and what its thread ran."""
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), None, capture)

    def work():
        until = perf_counter() + 0.003
        while perf_counter() < until:
            pass

    watch.spawned(work)()
    with pytest.raises(ZeroDivisionError):
        watch.spawned(lambda: 1 / 0)()

    (number, start_us, us, ran_us), (other, *_) = watch.clocks_of_pieces()
    assert other > number > 0
    assert 0 <= start_us < start_us + us
    assert us >= 3000
    assert 0 < ran_us <= us + 1000


def test_a_greenthread_has_no_clock(keeper):
    """Its thread's would be that of all of them."""
    greenlets = SimpleNamespace(getcurrent=object)
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), greenlets, capture)

    watch.spawned(lambda: None)()

    assert [ran_us for *_, ran_us in watch.clocks_of_pieces()] == [UNKNOWN]


def test_what_is_said_of_pieces_fits_into_a_pipe_at_once(keeper):
    """However many there are, and however late in a long request."""
    watch = keeper.watch()
    watch._started -= 10 * 24 * 3600
    for _ in range(1000):
        watch.spawned(lambda: None)()
    watch.pieces = [
        (2**40, began, ended, ended - began)
        for _, began, ended, _ in watch.pieces
    ]

    line = json.dumps(["keep", 2**40, watch.clocks_of_pieces(), *[2**60] * 4])

    assert len(line) < select.PIPE_BUF


def test_a_request_that_is_over_keeps_no_calls(keeper):
    """Its stacks may be asked for, and its lane has all of its calls."""
    capture = Capture(NothingServed(), 0)
    watch = StacksWatch(keeper, keeper.slots.take(), None, capture)
    main = capture.main
    assert watch in gc.get_referrers(main)

    watch.finish(record())

    assert watch not in gc.get_referrers(main)


def test_without_a_slot_a_thread_just_runs(keeper):
    """That it was not seen is counted."""
    watch = keeper.watch()
    while keeper.slots.take():
        pass

    assert watch.spawned(lambda: 5)() == 5
    assert watch.unseen == 1


def test_after_its_end_nothing_is_live(keeper):
    """A thread that goes on, or a body that is asked once more."""
    watch = keeper.watch()
    spawned = watch.spawned(keeper.live)
    watch.finish(record())

    assert watch.run(keeper.live) == []
    assert spawned() == []


def test_its_slot_is_free_when_it_is_over(keeper):
    """Once: not twice where a thread is still in it."""
    watches = []
    for _ in range(50):
        watch = keeper.watch()
        watches.append(watch)
        watch.run(watch.finish, record())
        watch.finish(record())

    taken = list(iter(keeper.slots.take, 0))
    assert len(taken) == len(set(taken)) == 7


def test_a_request_that_is_dropped_unfinished_gives_its_slot_back(keeper):
    """As by a server that does not close the body of a client gone away."""
    for _ in range(100):
        keeper.watch()
        gc.collect(0)

    assert keeper.slots.take()


def test_a_reader_that_sleeps_is_woken_once(keeper):
    """By the first request that begins."""
    keeper.slots.words[ASLEEP] = 1
    watch = keeper.watch()

    watch.run(lambda: watch.run(lambda: None))
    watch.run(lambda: None)

    assert keeper.woken == 1


def test_only_a_request_that_is_kept_asks_for_its_stacks(keeper):
    """The dump names the process that they come from."""
    watch, one = keeper.watch(), record()
    watch.finish(one)
    assert keeper.kept == []
    assert one.profile["engine"] == "stacks"

    one.profiled.attach(lambda *what: None)

    assert keeper.kept == [watch.number]
    assert one.profile["notes"] == [ASKED_FOR]
    assert one.profile[PENDING]


def test_one_that_cannot_ask_has_the_reason(keeper):
    """At once, and no promise is left."""
    keeper.trouble = "it is busy"
    watch, one, attached = keeper.watch(), record(), []
    watch.finish(one)

    one.profiled.attach(lambda *what: attached.append(what))

    assert one.profile["notes"] == ["it is busy"]
    assert PENDING not in one.profile
    assert [what[1] for what in attached] == [b""]
