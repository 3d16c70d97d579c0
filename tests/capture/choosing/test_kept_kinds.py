# SPDX-License-Identifier: Apache-2.0
"""What the options keep and log of each kind."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.capture.choosing.choice import is_kept, is_logged
from nova_profiler.capture.choosing.kept_kinds import Wanted, wanted_of


@pytest.mark.parametrize(
    ("option", "kind", "wanted"),
    [
        (("slow",), "message", Wanted(True, False, False, False)),
        (("message:slow",), "message", Wanted(True, False, False, False)),
        (("message:slow",), "request", Wanted(False, False, False, False)),
        (("all",), "request", Wanted(False, False, False, True)),
        # A conductor serves thousands of messages a second.
        (("all",), "message", Wanted(False, False, False, False)),
        (
            ("message:all", "failed"),
            "message",
            Wanted(False, True, False, True),
        ),
        ((), "request", Wanted(False, False, False, False)),
        (True, "request", Wanted(False, False, False, True)),
        (True, "message", Wanted(False, False, False, False)),
        (False, "request", Wanted(False, False, False, False)),
    ],
)
def test_a_word_with_a_kind_is_for_that_kind(option, kind, wanted):
    """One without is for all, but for "all"."""
    assert wanted_of(option, kind) == wanted


def test_a_slow_message_is_dumped_for_its_own_word():
    """And no request."""
    slow = {"duration_ms": 2000.0}

    assert is_kept(record(kind="message", **slow), ("message:slow",), 1000)
    assert not is_kept(record(**slow), ("message:slow",), 1000)


@pytest.mark.parametrize(
    ("fields", "logged"),
    [
        ({}, True),
        ({"kind": "message"}, False),
        ({"kind": "message", "duration_ms": 2000.0}, True),
        ({"kind": "task", "outcome": "failed"}, True),
        ({"kind": "task"}, False),
    ],
)
def test_messages_have_lines_where_they_are_named(fields, logged):
    """Requests have one each."""
    option = ("request:all", "message:slow", "task:failed")

    assert is_logged(record(**fields), option, 1000) is logged
