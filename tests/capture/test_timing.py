# SPDX-License-Identifier: Apache-2.0
"""Calls that are timed without what is named inside them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import added_up, calls_of, set_clock
from thread_clocks import Clocks, record_of

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.timing import Timing, add_wait, call_timed
from nova_profiler.groups import TIMED

KEY = CallKey(TIMED.name, "outer")
INNER = CallKey(TIMED.name, "inner")


@pytest.fixture
def clocks(monkeypatch):
    made = Clocks()
    made.put(monkeypatch)
    return made


def test_what_a_call_waits_has_its_name_and_no_other(clocks):
    """The CPU clock goes on with what comes after it."""

    def work():
        clocks.spend(1.0, 1.0)
        call_timed(current_lane(), KEY, clocks.spend, (4.0, 1.0), {})
        clocks.spend(3.0, 1.0)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"timed": 4000, "waiting": 2000, "python": 2000}
    )
    assert record.cpu_ms == pytest.approx(3000)


def test_a_wait_that_is_named_afterwards(clocks):
    """Its time is none of the time without a name."""

    def work():
        clocks.spend(1.0, 1.0)
        start = clocks.now
        clocks.spend(4.0)
        add_wait(current_lane(), KEY, start, clocks.now)
        clocks.spend(3.0, 1.0)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"timed": 4000, "waiting": 2000, "python": 2000}
    )


def test_a_wait_inside_a_call_is_taken_off_it(clocks):
    def work():
        timing = Timing(current_lane(), KEY.bit)
        start = clocks.now
        clocks.spend(4.0)
        add_wait(current_lane(), INNER, start, clocks.now)
        clocks.spend(1.0)
        timing.end(KEY)

    record = record_of(work)

    assert record.breakdown_ms["timed"] == pytest.approx(5000)
    assert calls_of(record, "timed")["outer"].ms == pytest.approx(5000)


def test_a_call_inside_one_of_its_group_is_nested(clocks):
    def work():
        lane = current_lane()
        call_timed(
            lane, KEY, lambda: call_timed(lane, INNER, int, (), {}), (), {}
        )
        call_timed(lane, INNER, int, (), {})

    calls = calls_of(record_of(work), "timed")

    assert (calls["outer"].count, calls["outer"].nested) == (1, 0)
    assert (calls["inner"].count, calls["inner"].nested) == (2, 1)


def test_an_error_passes_and_is_counted(clocks):
    def work():
        with pytest.raises(ZeroDivisionError):
            call_timed(current_lane(), KEY, divmod, (1, 0), {})

    assert calls_of(record_of(work), "timed")["outer"].errors == 1


def test_a_call_that_ends_after_the_request_is_in_no_figure(clocks):
    timings = []

    record = record_of(lambda: timings.append(Timing(current_lane(), KEY.bit)))

    assert timings[0].end(KEY) is None
    assert record.calls == []


def test_without_a_cpu_clock_none_is_begun(clocks, monkeypatch):
    """Under eventlet the thread's clock is not the request's."""
    monkeypatch.setattr(
        "nova_profiler.capture.served.worker.runs_green", lambda: True
    )

    def work():
        call_timed(current_lane(), KEY, clocks.spend, (4.0, 1.0), {})
        clocks.spend(3.0, 1.0)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"timed": 4000, "python": 3000}
    )
    assert record.cpu_ms is None


def test_the_cpu_clock_is_read_once_a_millisecond(clocks, monkeypatch):
    """Reading it costs as much as a whole call does."""
    readings = []

    def thread_time():
        readings.append(1)
        return clocks.cpu

    set_clock(monkeypatch, thread_time, "thread_time")

    def work():
        for _ in range(100):
            call_timed(current_lane(), KEY, clocks.spend, (0.0001,), {})

    record = record_of(work)

    assert record.duration_ms == pytest.approx(10)
    assert len(readings) <= 12


# Steps of a request: at work, or waiting, or inside a call at either.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["at work", "waits", "calls", "calls twice"]),
        st.floats(0.0, 0.004),
        st.floats(0.0, 1.0),
    ),
    max_size=30,
)


@given(STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_waiting_is_never_more_than_was_waited(clocks, steps):
    """The clock is read seldom: what it missed counts as Python's."""
    waited_s = 0.0

    def work():
        nonlocal waited_s
        lane = current_lane()
        for what, seconds, share in steps:
            if what == "at work":
                clocks.spend(seconds, seconds)
            elif what == "waits":
                clocks.spend(seconds)
                waited_s += seconds
            else:
                spend = (clocks.spend, (seconds, seconds * share), {})
                if what == "calls twice":
                    inner = lane, INNER, *spend
                    spend = call_timed, inner, {}
                call_timed(lane, KEY, *spend)

    record = record_of(work)

    assert added_up(record) == pytest.approx(record.duration_ms)
    found_ms = record.breakdown_ms.get("waiting", 0.0)
    assert found_ms <= waited_s * 1000 + 0.001


@given(st.lists(st.floats(0.0021, 0.1), min_size=1, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_waits_of_milliseconds_are_all_found(clocks, waits):
    """Between calls, however much these work."""

    def work():
        for seconds in waits:
            clocks.spend(0.001, 0.001)
            clocks.spend(seconds)
            call_timed(current_lane(), KEY, clocks.spend, (0.003, 0.002), {})

    record = record_of(work)

    assert record.breakdown_ms["waiting"] == pytest.approx(sum(waits) * 1000)
    assert record.breakdown_ms["timed"] == pytest.approx(3 * len(waits))


def test_a_wait_inside_a_call_is_named_once(clocks):
    """What was waited before the call is still found."""

    def waits_for_a_lock():
        start = clocks.now
        clocks.spend(0.0004)
        add_wait(current_lane(), INNER, start, clocks.now)

    def work():
        call_timed(current_lane(), KEY, clocks.spend, (0.002,), {})
        clocks.spend(0.0005)
        call_timed(current_lane(), KEY, waits_for_a_lock, (), {})
        clocks.spend(0.0005)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"timed": 2.4, "waiting": 1.0, "python": 0.0}
    )
