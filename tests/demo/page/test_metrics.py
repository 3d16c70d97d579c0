# SPDX-License-Identifier: Apache-2.0
"""The metrics of a run, added up."""

from __future__ import annotations

from demo.page.metrics import Metric, Metrics


def test_values_of_one_name_are_added_up() -> None:
    """Over all lines of all datagrams."""
    metrics = Metrics()

    metrics.add(b"a:1.5|ms\nb:1|c")
    metrics.add(b"a:2|ms|#route:x")

    assert metrics.by_name == {
        "a": Metric("ms", 2, 3.5),
        "b": Metric("c", 1, 1.0),
    }
    assert (metrics.datagrams, metrics.lines) == (2, 3)


def test_what_is_no_metric_is_kept_aside() -> None:
    """So that the demo can name what it did not understand."""
    metrics = Metrics()

    metrics.add(b"nonsense\na:x|ms")

    assert metrics.refused == ["nonsense", "a:x|ms"]
