# SPDX-License-Identifier: Apache-2.0
"""The figures of messages: their limits, and that what is measured is on."""

from __future__ import annotations

import pytest

pytest.importorskip("oslo_messaging")

from benchmarks.messages import broker, growth, served
from nova_profiler.capture.sinks import statsd_udp


@pytest.fixture
def closed_sockets(monkeypatch):
    """Close the sockets of sinks, which a service keeps to its end."""
    made = []

    def client(*place):
        made.append(make(*place))
        return made[-1]

    make = statsd_udp._client
    monkeypatch.setattr(statsd_udp, "_client", client)
    yield
    for one in made:
        one._sock.close()


@pytest.mark.parametrize(
    ("metrics", "dumps", "nothing", "met"),
    [
        (29.0, 33.0, 4.0, [True, True, True]),
        (31.0, 37.0, 6.0, [False, False, False]),
    ],
)
def test_each_price_has_its_limit(metrics, dumps, nothing, met):
    """Dumps that none is kept for are a difference."""
    prices = [
        served.Price(served.METRICS, metrics),
        served.Price(served.DUMPS, dumps),
        served.Price(served.NOTHING, nothing),
        served.Price(served.KEPT, 99.0),
    ]

    assert [one.met for one in served.figures_of(prices)] == met


@pytest.mark.parametrize(("ratio", "met"), [(0.98, True), (0.96, False)])
def test_the_median_of_the_pairs_counts(ratio, met):
    """One pair is anything on a busy machine."""
    pairs = [broker.Pair(one, 1.0) for one in (0.1, ratio, 3.0)]

    assert [one.met for one in broker.figures_of(pairs)] == [met]


@pytest.mark.parametrize(
    ("grown", "names", "met"),
    [(4.0, 5, [True, True]), (6.0, 400, [False] * 2)],
)
def test_memory_and_names_are_bounded(grown, names, met):
    """After the warm-up."""
    found = growth.Growth(1000, 100.0, 100.0 + grown, names)

    assert [one.met for one in growth.figures_of(found)] == met


def test_a_broker_that_is_away_is_one_line(monkeypatch):
    """And nothing is started."""
    monkeypatch.setattr(broker, "URL", "rabbit://guest@127.0.0.1:1/")

    with pytest.raises(broker.BrokerError, match="no RabbitMQ at RABBIT_URL"):
        next(broker.measure(1, 1, lambda text: None))


def test_each_way_to_be_switched_on_is_measured(closed_sockets):
    """A batch of each; it asserts that metrics were sent."""
    prices = list(served.measure(1, 5, lambda text: None))

    assert [one.label for one in prices] == [
        served.METRICS,
        served.DUMPS,
        served.NOTHING,
        served.KEPT,
    ]


def test_hostile_messages_are_served(monkeypatch, closed_sockets):
    """Some; the names that were sent are counted."""
    monkeypatch.setattr(growth, "WARM_UP", 20)

    found = growth.measure(30, lambda text: None)

    assert found.messages == 30
    assert found.names > 0
