# SPDX-License-Identifier: Apache-2.0
"""Times that are added up and sent now and then: none is lost or doubled."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.sinks import statsd_sums
from nova_profiler.capture.sinks.statsd_sums import (
    SEND_EVERY_S,
    TimeSums,
    line_of,
)

NAME = ("nova.nova-conductor.message.conductor.ping", "")
OTHER = ("nova.nova-conductor.message.conductor.pong", "")


@pytest.fixture
def sent():
    return []


@pytest.fixture
def sums(sent, clock):
    return TimeSums(sent.append, clock)


def test_the_first_is_sent_at_once_and_others_wait(sums, sent, clock):
    """Where there is little to do, none waits for the next one."""
    sums.add(NAME, 5.0)
    sums.send_if_due()
    sums.add(NAME, 6.0)
    sums.add(OTHER, 1.0)
    sums.send_if_due()
    before = len(sent)
    clock.advance(SEND_EVERY_S)
    sums.add(NAME, 5.9)
    sums.send_if_due()

    assert before == 1
    assert sent[0] == [(NAME, 1, 5.0)]
    assert sorted(sent[1]) == [
        (NAME, 2, pytest.approx(5.95)),
        (OTHER, 1, 1.0),
    ]


def test_nothing_new_sends_nothing(sums, sent):
    """Not even an empty datagram."""
    sums.send()
    sums.add(NAME, 5.0)
    sums.send()
    sums.send()

    assert len(sent) == 1


@given(st.lists(st.floats(0, 1e7, allow_nan=False), min_size=1, max_size=200))
def test_number_and_sum_are_exact(times):
    """However the times are spread, and whenever they are sent."""
    sent: list = []
    sums = TimeSums(sent.append)
    for place, ms in enumerate(times):
        sums.add(NAME, ms)
        if place % 7 == 0:
            sums.send()
    sums.send()

    rows = [row for part in sent for row in part]
    assert sum(count for _, count, _ in rows) == len(times)
    total = sum(count * mean for _, count, mean in rows)
    assert total == pytest.approx(sum(times), abs=1e-3, rel=1e-9)


def test_times_that_differ_are_told_apart(sums, sent):
    """Percentiles of what is sent are within a tenth."""
    times = [1.0 * 1.01**n for n in range(1000)]
    for ms in times:
        sums.add(NAME, ms)
    sums.send()

    spread = sorted(mean for _, count, mean in sent[0] for _ in range(count))
    for share in (0.5, 0.9, 0.99):
        place = int(len(times) * share)
        assert spread[place] == pytest.approx(times[place], rel=0.1)
    assert len(sent[0]) < 130


def test_times_round_one_millisecond_are_told_apart(sums, sent):
    """Where most calls are; a logarithm changes its sign there."""
    for ms in (0.92, 0.995, 1.005, 1.08):
        sums.add(NAME, ms)
    sums.send()

    assert len(sent[0]) == 2


def test_several_calls_may_be_added_at_once(sums, sent):
    """Of a list that was added up, the mean stands for each."""
    sums.add(NAME, 2.0, 300)
    sums.send()

    assert sent == [[(NAME, 300, 2.0)]]


def test_threads_lose_none(sums, sent):
    """What adds takes no lock, and what sends takes nothing away."""
    each = 5_000

    def add():
        for _ in range(each):
            sums.add(NAME, 1.0)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sums.send()
    for thread in threads:
        thread.join()
    sums.send()

    assert sum(row[1] for part in sent for row in part) == 4 * each


def test_a_forked_process_sends_its_own(sums, sent):
    """What its parent has added, its parent sends."""
    sums.add(NAME, 1.0)
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        sums.add(OTHER, 2.0)
        sums.send()
        os.write(writes, repr(sent).encode())
        os._exit(0)
    os.waitpid(pid, 0)

    theirs = os.read(reads, 1000).decode()
    sums.send()

    os.close(reads)
    os.close(writes)
    assert theirs == repr([[(OTHER, 1, 2.0)]])
    assert sent == [[(NAME, 1, 1.0)]]


def test_the_rest_is_sent_at_the_end(sums, sent):
    """A process that ends has nothing left to add to it."""
    sums.add(NAME, 1.0)

    statsd_sums._send_rest()

    assert sent == [[(NAME, 1, 1.0)]]


@pytest.mark.parametrize(
    ("count", "line"),
    [(1, "a.b:2.500|ms|#x:y"), (4, "a.b:2.500|ms|@0.25|#x:y")],
)
def test_a_line_has_the_rate_that_makes_its_number_right(count, line):
    """As statsd counts: one by the rate."""
    assert line_of(("a.b", "|#x:y"), count, 2.5) == line
