# SPDX-License-Identifier: Apache-2.0
"""Waits for external events of instances have the event's name."""

from __future__ import annotations

import sys
import types

import pytest
from serving import calls_of, recorded, set_clock

from nova_profiler.capture.hooks import instance_events

NAMES = ["network-changed", "network-vif-plugged", "network-vif", "power"]
UUID = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"


class TimedOutError(Exception):
    pass


class ComputeVirtAPI:
    """What nova's compute manager has of it."""

    class _InstanceEvent:
        def __init__(self, name):
            self.name = name

        def wait(self, timeout):
            if timeout is None:
                raise TimedOutError
            return timeout


@pytest.fixture(autouse=True)
def nova(monkeypatch):
    monkeypatch.setattr(instance_events, "_keys", {})
    manager = types.ModuleType("nova.compute.manager")
    manager.ComputeVirtAPI = ComputeVirtAPI
    events = types.ModuleType("nova.objects.external_event")
    events.EVENT_NAMES = NAMES
    monkeypatch.setitem(sys.modules, "nova.compute.manager", manager)
    monkeypatch.setitem(sys.modules, "nova.objects.external_event", events)
    undo = instance_events.install()
    yield events
    undo()


def event(name):
    return ComputeVirtAPI._InstanceEvent(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("network-changed", "network-changed"),
        (f"network-vif-plugged-{UUID}", "network-vif-plugged"),
        (f"network-vif-{UUID}", "network-vif"),
        (f"power-{UUID}", "power"),
        ("powerless-canary", "other"),
        ("canary", "other"),
        ("", "other"),
        (None, "other"),
        (7, "other"),
    ],
)
def test_a_wait_has_the_events_name_without_its_tag(name, expected):
    answers = []

    record = recorded(lambda: answers.append(event(name).wait(timeout=5)))

    assert answers == [5]
    assert list(calls_of(record, "event")) == [expected]
    assert record.breakdown_ms["event"] >= 0.0


def test_a_time_out_is_a_failure_and_passes():
    def work():
        with pytest.raises(TimedOutError):
            event("network-changed").wait(None)

    record = recorded(work)

    assert calls_of(record, "event")["network-changed"].errors == 1


def test_without_novas_list_of_names_it_is_other(monkeypatch):
    monkeypatch.delitem(sys.modules, "nova.objects.external_event")

    record = recorded(lambda: event("network-changed").wait(1))

    assert list(calls_of(record, "event")) == ["other"]


def test_names_are_bounded(nova):
    """Even if nova's list were not."""
    nova.EVENT_NAMES = [f"event{number}" for number in range(1000)]

    names = {instance_events._key_of(name).name for name in nova.EVENT_NAMES}

    assert len(names) == instance_events.MOST_EVENTS + 1


def test_outside_a_request_nothing_is_kept():
    assert event("network-changed").wait(3) == 3
    assert instance_events._keys == {}


class NetworkInfoAsyncWrapper(list):
    """What nova asks neutron for ahead: it waits whatever is asked of it."""

    def __init__(self, future):
        self._future = future

    def __len__(self):
        self.wait()
        return super().__len__()

    def wait(self, do_raise=True):
        if self._future is not None:
            try:
                self[:] = self._future()
            except LookupError:
                if do_raise:
                    raise
            finally:
                self._future = None


@pytest.fixture
def network(monkeypatch):
    model = types.ModuleType("nova.network.model")
    model.NetworkInfoAsyncWrapper = NetworkInfoAsyncWrapper
    monkeypatch.setitem(sys.modules, "nova.network.model", model)
    undo = instance_events.install()
    yield model
    undo()


def test_waiting_for_networks_has_a_name(network, clock, monkeypatch):
    """Once: from then on they are there."""
    set_clock(monkeypatch, clock)

    def answer():
        clock.advance(2.0)
        return ["port"]

    def work():
        info = NetworkInfoAsyncWrapper(answer)
        assert len(info) == 1
        info.wait(do_raise=False)

    record = recorded(work)

    (call,) = calls_of(record, "event").values()
    assert (call.name, call.count) == ("network_info", 1)
    assert call.ms == pytest.approx(2000)


def test_networks_that_cannot_be_had_are_a_failure(network):
    """As nova asks for it: it may go on without."""

    def fails():
        raise LookupError

    def work():
        with pytest.raises(LookupError):
            NetworkInfoAsyncWrapper(fails).wait()
        NetworkInfoAsyncWrapper(fails).wait(do_raise=False)

    record = recorded(work)

    call = calls_of(record, "event")["network_info"]
    assert (call.count, call.errors) == (2, 1)


def test_networks_that_are_there_are_no_call(network):
    """They are asked all the time."""
    record = recorded(NetworkInfoAsyncWrapper(None).wait)

    assert calls_of(record, "event") == {}


def test_outside_a_request_networks_are_waited_for_as_before(network):
    assert len(NetworkInfoAsyncWrapper(lambda: [1, 2])) == 2
