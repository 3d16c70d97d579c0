# SPDX-License-Identifier: Apache-2.0
"""Times as histograms: their buckets, labels, bounds, and what was sent."""

from __future__ import annotations

import pytest
from builders import one_of_each_kind, record
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.sinks.otlp import histograms as module
from nova_profiler.capture.sinks.otlp.histograms import (
    SCALE,
    Histograms,
    delivered,
)

BASE = 2 ** (2**-SCALE)


@given(st.lists(st.floats(1e-3, 1e9), min_size=1))
def test_a_bucket_holds_what_its_bounds_say(times):
    """From above its lower bound to its upper one, as OTLP has it."""
    histograms = Histograms()
    for ms in times:
        histograms.add_record(record(duration_ms=ms))

    [delta] = histograms.deltas()

    assert delta.count == len(times)
    assert delta.sum_s == pytest.approx(sum(times) / 1000)
    bounds = [
        BASE**place
        for place, count in sorted(delta.buckets.items())
        for _ in range(count)
    ]
    for lower, ms in zip(bounds, sorted(times), strict=True):
        assert lower * (1 - 1e-9) <= ms / 1000 <= lower * BASE * (1 + 1e-9)


@pytest.mark.parametrize("ms", [0.0, -1.0, 1e-9, 1e12])
def test_a_time_that_no_clock_shows_has_a_bucket(ms):
    """Clocks are set back, and records are killed ones'."""
    histograms = Histograms()

    histograms.add_record(record(duration_ms=ms))

    [delta] = histograms.deltas()
    assert delta.count == 1


def test_labels_are_those_of_the_kind():
    """Route, method and status; the words of a route."""
    histograms = Histograms()
    for one in one_of_each_kind():
        one.wait_ms = None if one.kind == "request" else 2.0
        histograms.add_record(one)
    histograms.add("message", "rpc compute reboot_instance", 1.0, 3.0)

    found = {
        (delta.series.metric, delta.series.labels): delta.count
        for delta in histograms.deltas()
    }

    assert found == {
        ("request", ("/v2.1/servers", "GET", 200)): 1,
        ("message", ("compute", "reboot_instance")): 2,
        ("message_wait", ("compute",)): 2,
        ("task", ("LONG_TASK", "ComputeManager._build")): 1,
        ("task_wait", ("LONG_TASK",)): 1,
        ("periodic", ("ComputeManager._sync",)): 1,
        ("periodic_wait", ("ComputeManager._sync",)): 1,
    }


def test_what_was_delivered_is_in_no_later_delta():
    """What was not delivered is in the next one."""
    histograms = Histograms()
    histograms.add_record(record(duration_ms=1.0))
    first = histograms.deltas()
    histograms.add_record(record(duration_ms=2.0))
    [both] = histograms.deltas()

    delivered(first)

    [second] = histograms.deltas()
    assert (both.count, both.sum_s) == (2, pytest.approx(0.003))
    assert (second.count, second.sum_s) == (1, pytest.approx(0.002))
    delivered([second])
    assert histograms.deltas() == []


def test_the_slowest_is_kept_until_it_was_delivered():
    """A slower one that came meanwhile stays."""
    histograms = Histograms()
    for ms in (5.0, 9.0, 7.0):
        histograms.add_record(record(duration_ms=ms, record_id=f"{ms}"))
    first = histograms.deltas()
    [delta] = first
    assert delta.slowest is not None
    assert delta.slowest.record_id == "9.0"
    histograms.add_record(record(duration_ms=11.0, record_id="11.0"))

    delivered(first)

    [delta] = histograms.deltas()
    assert delta.slowest is not None
    assert delta.slowest.record_id == "11.0"
    delivered([delta])
    histograms.add_record(record(duration_ms=1.0, record_id="1.0"))
    [delta] = histograms.deltas()
    assert delta.slowest is not None
    assert delta.slowest.record_id == "1.0"


def test_series_are_bounded(monkeypatch):
    """All that are too many share one, of each kind."""
    monkeypatch.setattr(module, "MAX_SERIES", 3)
    histograms = Histograms()
    for n in range(10):
        histograms.add_record(record(route=f"/{n}"))
        histograms.add("message", f"rpc a m{n}", 1.0, None)

    deltas = histograms.deltas()

    assert len(deltas) == 5
    assert sum(delta.count for delta in deltas) == 20
    rest = [delta for delta in deltas if delta.series.labels is None]
    assert {d.series.metric: d.count for d in rest} == {
        "request": 8,
        "message": 9,
    }
