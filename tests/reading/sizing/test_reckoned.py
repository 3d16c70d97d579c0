# SPDX-License-Identifier: Apache-2.0
"""Sums of a fleet, from what was measured on a few."""

from __future__ import annotations

import pytest
from builders import numbered
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.sizing.measured import Datagrams, Weight, weighed
from nova_profiler.reading.sizing.reckoned import load_of


def api(**fields) -> Weight:
    """Return two processes with 100 requests each in 50 seconds."""
    made = Weight(
        requests=200,
        kept=2,
        line_bytes=200_000,
        packed_bytes=20_000,
        dumps=4,
        dump_bytes=160_000,
        processes={("a", 1), ("a", 2)},
        first_s=0.0,
        last_s=50.0,
        sent=Datagrams(400, 80_000, 2_000, {"x", "y"}),
    )
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_processes_make_what_they_made():
    """Each a record a half second: two hundred make 400 a second."""
    load = load_of("nova-api", api(), processes=200)

    assert load.records == pytest.approx(400)
    assert load.line_bytes == pytest.approx(400_000)
    assert load.packed_bytes == pytest.approx(40_000)
    assert load.datagrams == pytest.approx(800)
    assert load.metric_lines == pytest.approx(4_000)
    assert load.metric_bytes == pytest.approx(160_000)
    assert load.names == 2
    assert load.kept == pytest.approx(4)
    assert load.bytes_per_dump == 40_000
    assert load.dump_bytes == pytest.approx(160_000)


def test_a_rate_holds_for_all_processes_together():
    """More processes for the same requests change no sum."""
    few = load_of("nova-api", api(), processes=20, rate=1000.0)
    many = load_of("nova-api", api(), processes=200, rate=1000.0)

    assert few.records == many.records == 1000
    assert few.line_bytes == many.line_bytes == pytest.approx(1_000_000)
    assert few.metric_bytes == many.metric_bytes


def test_sums_grow_with_processes():
    """What is sent every ten seconds does not follow the rate."""
    compute = Weight(
        others=50,
        line_bytes=50_000,
        processes={("c", 1)},
        first_s=0.0,
        last_s=100.0,
        sums_sent=Datagrams(10, 5_000, 60, {"z"}),
    )

    quiet = load_of("nova-compute", compute, processes=20_000)
    busy = load_of("nova-compute", compute, processes=20_000, rate=1e6)

    assert quiet.records == pytest.approx(10_000)
    assert quiet.datagrams == busy.datagrams == pytest.approx(2_000)
    assert quiet.metric_bytes == busy.metric_bytes == pytest.approx(1e6)
    assert busy.line_bytes == pytest.approx(1e9)


def test_one_record_shows_no_rate():
    """What cannot be known is None, what can be is not."""
    weight = weighed([numbered(0)], 1000.0)["nova-api"]

    unknown = load_of("nova-api", weight)
    known = load_of("nova-api", weight, rate=10.0)

    assert unknown.records is unknown.line_bytes is None
    assert unknown.datagrams is None
    assert unknown.bytes_per_record == weight.line_bytes
    assert known.line_bytes == pytest.approx(weight.line_bytes * 10)


def test_dumps_alone_have_no_lines():
    """A service of which only dumps were given."""
    load = load_of("nova-compute", Weight(dumps=2, dump_bytes=10))

    assert load.bytes_per_dump == 5
    assert load.dump_bytes is None


@given(st.integers(1, 10**6), st.floats(0, 1e9))
def test_sums_are_proportional(processes, rate):
    """Twice the rate is twice of everything that requests make."""
    once = load_of("nova-api", api(), processes, rate)
    twice = load_of("nova-api", api(), processes, rate * 2)

    for name in ("line_bytes", "packed_bytes", "datagrams", "kept"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name))


def test_a_short_look_counts_as_a_whole_window():
    """What came in three seconds is sent as what fills ten."""
    weight = Weight(
        others=3,
        processes={("c", 1)},
        first_s=0.0,
        last_s=3.0,
        sums_sent=Datagrams(1, 500, 6, {"z"}),
    )

    load = load_of("nova-compute", weight, processes=100)

    assert load.datagrams == pytest.approx(10)
    assert load.metric_bytes == pytest.approx(5_000)
