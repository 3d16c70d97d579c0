# SPDX-License-Identifier: Apache-2.0
"""Samples become prices, and prices are held against their limits."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.contenders import REFERENCES
from benchmarks.price.measuring import Sample
from benchmarks.price.prices import figures, prices

BARE = {
    "request": 1.0,
    "orm": 1000.0,
    "orm-bare": 800.0,
    "statements": 1301.0,
    "statements-bare": 1001.0,
    "fetches": 1401.0,
    "calls": 3.0,
}


def samples(name, added=0.0, per_call=0.0, generations=2):
    """Return a contender's samples over the bare application."""
    return [
        Sample(name, workload, generation, 0, us, us)
        for generation in range(generations)
        for workload, bare in BARE.items()
        for us in [
            bare + added + (100 * per_call if workload == "calls" else 0)
        ]
    ]


def references():
    """Return the samples that all others are compared with."""
    return [sample for name in REFERENCES for sample in samples(name)]


def test_price_is_what_a_contender_adds():
    """Each figure is a difference from the bare application."""
    found = prices([*references(), *samples("ours", added=12.0, per_call=0.4)])

    assert found["ours"].request.median == pytest.approx(12.0)
    assert found["ours"].call.median == pytest.approx(0.4)
    assert found["ours"].statement.median == pytest.approx(0.0)
    assert found["ours"].orm_ratio.median == pytest.approx(1.012)


def test_one_slow_reference_moves_nothing():
    """The median of three processes forgives one that is off."""
    slow = [
        sample._replace(cpu_us=sample.cpu_us * 2)
        if sample.contender == REFERENCES[0]
        else sample
        for sample in references()
    ]

    found = prices([*slow, *samples("ours", added=12.0)])

    assert found["ours"].request.median == pytest.approx(12.0)


def test_figures_say_what_is_missed():
    """A limit is kept, missed, or was not measured."""
    found = prices(
        [
            *references(),
            *samples("ours", added=16.0, per_call=0.4),
            *samples("floor", added=10.0, per_call=0.3),
        ]
    )

    met = {row.label: row.met for row in figures(found)}

    assert met["ours over the floor: a request"] is False
    assert met["ours over the floor: a DB API call"] is True
    assert met["osprofiler over ours: a request"] is None
