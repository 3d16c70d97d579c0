# SPDX-License-Identifier: Apache-2.0
"""nova-compute's limits of builds and snapshots: waits that have a name."""

from __future__ import annotations

import sys
import threading
import types

import pytest
from serving import added_up, calls_of, recorded, set_clock

from nova_profiler.capture.hooks import lock_waits
from nova_profiler.capture.hooks.late_patches import missing_points


class Limit:
    """A semaphore whose turn comes after some time."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self.held = 0

    def __enter__(self):
        self.clock.advance(self.seconds)
        self.held += 1

    def __exit__(self, *exc_info):
        self.held -= 1

    @property
    def balance(self):
        return 1 - self.held


@pytest.fixture
def manager_class(monkeypatch):
    """Return a class as nova.compute.manager has it."""

    class ComputeManager:
        def __init__(self):
            self._build_semaphore = threading.Semaphore(1)
            self._snapshot_semaphore = threading.Semaphore(1)

        def build(self, work):
            with self._build_semaphore:
                return work()

    module = types.ModuleType("nova.compute.manager")
    module.ComputeManager = ComputeManager
    monkeypatch.setitem(sys.modules, "nova.compute.manager", module)
    return ComputeManager


@pytest.mark.parametrize("is_early", [True, False])
def test_the_wait_for_a_build_has_a_name(
    manager_class, clock, monkeypatch, is_early
):
    """Whether the manager was made before the hook was there, or after.

    What goes on while it is held is no part of it.
    """
    set_clock(monkeypatch, clock)
    early = manager_class()
    undo = lock_waits.install()
    manager = early if is_early else manager_class()
    limit = manager._build_semaphore = Limit(clock, 2.0)

    record = recorded(lambda: manager.build(lambda: clock.advance(1.0)))
    undo()

    calls = calls_of(record, "lock")
    assert {name: call.ms for name, call in calls.items()} == pytest.approx(
        {"build_semaphore": 2000}
    )
    assert limit.held == 0
    assert added_up(record) == pytest.approx(3000)


def test_a_free_one_has_no_call(manager_class):
    """In threading mode nova's pools are the limit."""
    undo = lock_waits.install()
    manager = manager_class()

    record = recorded(lambda: manager.build(lambda: None))
    undo()

    assert calls_of(record, "lock") == {}


def test_the_manager_is_as_it_was(manager_class):
    """To all that looks, with the hook and after it."""
    manager = manager_class()
    own = manager._build_semaphore
    undo = lock_waits.install()

    assert manager._build_semaphore is own
    assert not hasattr(manager_class, "_build_semaphore")
    manager._build_semaphore = other = object()
    undo()

    assert manager._build_semaphore is other
    assert "_build_semaphore" not in vars(manager_class)
    del manager._build_semaphore
    assert not hasattr(manager, "_build_semaphore")


def test_an_attribute_can_be_deleted_under_the_hook(manager_class):
    """Tests of others do so, when they put back what they had replaced."""
    undo = lock_waits.install()
    manager = manager_class()

    del manager._build_semaphore
    with pytest.raises(AttributeError, match="_build_semaphore"):
        del manager._build_semaphore
    assert not hasattr(manager, "_build_semaphore")
    undo()


def test_in_a_request_it_can_be_asked_as_before(manager_class, clock):
    """nova asks eventlet's for its balance."""
    undo = lock_waits.install()
    manager = manager_class()
    manager._build_semaphore = Limit(clock, 0.0)
    answers = []

    recorded(lambda: answers.append(manager._build_semaphore.balance))
    undo()

    assert answers == [1]


def test_a_nova_without_one_is_named(manager_class, monkeypatch):
    """In the log once, and by ``check``."""

    class ComputeManager:
        def __init__(self):
            self._build_semaphore = None

    module = sys.modules["nova.compute.manager"]
    monkeypatch.setattr(module, "ComputeManager", ComputeManager)
    undo = lock_waits.install()
    missing = missing_points()
    undo()

    assert [line for line in missing if "_snapshot_semaphore" in line]
    assert not [line for line in missing if "_build_semaphore" in line]


def test_installed_twice_each_wait_counts_once(
    manager_class, clock, monkeypatch
):
    set_clock(monkeypatch, clock)
    undos = [lock_waits.install() for _ in range(2)]
    manager = manager_class()
    manager._build_semaphore = Limit(clock, 2.0)

    both = recorded(lambda: manager.build(lambda: None))
    undos[0]()
    one = recorded(lambda: manager.build(lambda: None))
    undos[1]()

    for record in (both, one):
        assert calls_of(record, "lock")["build_semaphore"].count == 1
