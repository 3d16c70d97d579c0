# SPDX-License-Identifier: Apache-2.0
"""The figures of waits, from records whose parts are known."""

from __future__ import annotations

import pytest
from builders import record

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.waits import command, own_calls, real_nova

ASKED = real_nova.Asked("threads", "servers/detail", "GET", "/")


@pytest.mark.parametrize(
    ("breakdown_ms", "unnamed_ms", "cpu_ms", "share"),
    [
        # All that Python has was run.
        ({"http": 60.0, "python": 40.0}, None, 40.0, 1.0),
        # A tenth of it was waited, though no clock had seen it.
        ({"http": 60.0, "python": 40.0}, None, 30.0, 1 - 10 / 70),
        # A place in line has a name, the GIL has none.
        (
            {"http": 50.0, "python": 20.0, "waiting": 30.0},
            {"processor": 24.0, "other": 4.0, "unsplit": 2.0},
            20.0,
            1 - 6 / 80,
        ),
        # Some of the CPU time was the driver's: the record knows better.
        (
            {"sql": 60.0, "python": 10.0, "waiting": 30.0},
            {"processor": 0.0, "other": 30.0},
            40.0,
            0.5,
        ),
    ],
)
def test_what_has_a_name(breakdown_ms, unnamed_ms, cpu_ms, share):
    one = record(
        duration_ms=100.0, breakdown_ms=breakdown_ms, unnamed_ms=unnamed_ms
    )

    assert real_nova.named_share([one], cpu_ms) == pytest.approx(share)


@pytest.mark.parametrize("ratio", [0.97, 1.03])
def test_a_time_may_miss_its_clock_to_either_side(ratio):
    found = real_nova.Found(ASKED, 100.0, ratio, 0.94, {})

    figures = command.figures([found], [own_calls.Ratio("RPC", ratio)])

    assert [one.met for one in figures] == [False, False, False]


def test_what_is_close_is_met():
    found = real_nova.Found(ASKED, 100.0, 1.01, 0.96, {})

    figures = command.figures([found], [own_calls.Ratio("RPC", 0.99)])

    assert [one.met for one in figures] == [True, True, True]
