# SPDX-License-Identifier: Apache-2.0
"""Notifiers are enabled where they would be without our driver."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from imported import imported

from nova_profiler.services import notifiers

notifier = imported("oslo_messaging.notify.notifier")


@pytest.mark.parametrize(
    ("drivers", "is_enabled"),
    [
        ([], True),
        (["noop"], False),
        (["messagingv2"], True),
        (["nova_profiler"], True),
        (["noop", "nova_profiler"], False),
        (["nova_profiler", "noop"], False),
        (["messagingv2", "nova_profiler"], True),
        (["noop", "messagingv2", "nova_profiler"], True),
    ],
)
def test_our_driver_changes_no_answer(drivers, is_enabled):
    """nova builds payloads where one is enabled."""
    made = notifier.Notifier.__new__(notifier.Notifier)
    made._driver_mgr = SimpleNamespace(names=lambda: drivers)
    undo = notifiers.install()
    try:
        found = made.is_enabled()
    finally:
        undo()

    assert found is is_enabled


def test_a_notifier_of_another_release_answers_for_itself():
    """What is not there is its own to miss."""
    made = notifier.Notifier.__new__(notifier.Notifier)
    undo = notifiers.install()
    try:
        with pytest.raises(AttributeError, match="_driver_mgr"):
            made.is_enabled()
    finally:
        undo()
