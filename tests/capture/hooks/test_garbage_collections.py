# SPDX-License-Identifier: Apache-2.0
"""Full collections in a request have a name; the young generations none."""

from __future__ import annotations

import gc

import pytest
from serving import Profiled, added_up, during, recorded, set_clock

from nova_profiler.capture.current import current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import garbage_collections


@pytest.fixture(autouse=True)
def hook():
    undo = garbage_collections.install()
    yield
    undo()
    assert garbage_collections._running is None


@pytest.fixture
def slow_collector(clock, monkeypatch):
    """Let each collection take two seconds."""
    set_clock(monkeypatch, clock)

    def spend(phase, info):
        if phase == "stop":
            clock.advance(2.0)

    # Before ours: it is part of what is timed.
    gc.callbacks.insert(0, spend)
    gc.disable()
    yield
    gc.enable()
    gc.callbacks.remove(spend)


def test_a_full_collection_is_timed(slow_collector):
    record = recorded(gc.collect)

    assert record.groups["gc"].calls == 1
    assert record.groups["gc"].ms == pytest.approx(2000)
    assert record.breakdown_ms["gc"] == pytest.approx(2000)
    assert added_up(record) == pytest.approx(record.duration_ms)


def test_the_young_generations_are_not(slow_collector):
    def work():
        gc.collect(0)
        gc.collect(1)

    assert "gc" not in recorded(work).groups


def test_outside_a_request_nothing_is_kept(slow_collector):
    gc.collect()

    assert "gc" not in recorded(lambda: None).groups


def test_a_request_that_ends_in_the_middle(slow_collector):
    """An object's last act may be anything; nothing is late or left."""
    profiled = Profiled(during(lambda: None))
    before = HOOK_FAILURES.counts()

    def work():
        lane = current_lane()
        garbage_collections._collecting("start", {"generation": 2})
        lane.capture.close()
        garbage_collections._collecting("stop", {"generation": 2})

    profiled = Profiled(during(work))
    profiled.get()

    assert "gc" not in profiled.record.groups
    assert HOOK_FAILURES.counts() == before


def test_undo_takes_the_callback_away():
    """The last of the installers does, once."""
    callback = garbage_collections._collecting
    more = garbage_collections.install()

    assert gc.callbacks.count(callback) == 1
    more()
    more()
    assert gc.callbacks.count(callback) == 1
