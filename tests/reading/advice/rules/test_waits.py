# SPDX-License-Identifier: Apache-2.0
"""A wait is the largest part of a request, by its kind."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.reading.advice.adding_up import advice_on
from nova_profiler.record import CallTotals

WAITS = [
    ("lock", "lock", "refresh_cache-{id}"),
    ("pool", "pool", "cell_worker"),
    ("rpc", "rpc", "conductor build_instances"),
    ("process", "process", "qemu-img"),
    ("event", "event", "network-vif-plugged"),
    ("identity", "identity", "POST /v3/auth/tokens"),
    ("cache", "cache", "tokens get"),
]


@pytest.mark.parametrize(("group", "bucket", "name"), WAITS)
def test_the_longest_is_named(group, bucket, name):
    """Of all calls of the group, and the whole bucket could be saved."""
    (advice,) = advice_on(
        record(
            duration_ms=100.0,
            breakdown_ms={bucket: 60.0, "python": 40.0},
            calls=[
                CallTotals(group, "short", 9, 5.0, 1.0),
                CallTotals(group, name, 1, 55.0, 55.0),
            ],
        )
    )

    assert name in advice["text"]
    assert advice["text"].endswith("saves at most 60.0 ms, 60.0 %")


@pytest.mark.parametrize(("group", "bucket", "name"), WAITS)
def test_a_wait_beside_a_larger_part_is_none(group, bucket, name):
    assert (
        advice_on(
            record(
                duration_ms=100.0,
                breakdown_ms={bucket: 40.0, "python": 60.0},
                calls=[CallTotals(group, name, 1, 40.0, 40.0)],
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("bucket", "text"),
    [
        (
            "pool_wait",
            "waiting for a pooled connection is the largest part: a larger "
            "pool saves at most 70.0 ms, 70.0 %",
        ),
        (
            "gc",
            "a full garbage collection is the largest part: collecting "
            "between requests saves at most 70.0 ms, 70.0 %",
        ),
        (
            "log",
            "log handlers are the largest part: a quicker place for the log, "
            "or fewer messages, saves at most 70.0 ms, 70.0 %",
        ),
    ],
)
def test_calls_without_names(bucket, text):
    """The part is named by its kind alone."""
    (advice,) = advice_on(
        record(
            duration_ms=100.0,
            breakdown_ms={bucket: 70.0, "sql": 20.0, "python": 10.0},
        )
    )

    assert advice["text"] == text


@pytest.mark.parametrize(
    ("processor_ms", "rules"),
    [
        (45.0, ["busy_processors"]),
        (15.0, ["busy_interpreter"]),
        (30.0, []),
    ],
)
def test_the_waiting_that_no_group_claims(processor_ms, rules):
    """Its parts are compared with the others, each for itself."""
    advice = advice_on(
        record(
            duration_ms=100.0,
            breakdown_ms={"waiting": 60.0, "sql": 40.0},
            unnamed_ms={
                "processor": processor_ms,
                "other": 60.0 - processor_ms,
            },
        )
    )

    assert [one["rule"] for one in advice] == rules
