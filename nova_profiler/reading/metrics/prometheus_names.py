# SPDX-License-Identifier: Apache-2.0
"""What metrics are called in Prometheus.

As its conventions want it: base units, here seconds, named at the end; what
only grows ends in ``_total``.
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from nova_profiler.record.metric_labels import Metric

# Bounds of the histograms, in seconds. 1 is the default of slow_ms.
BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 25.0, 60.0),
)
_SPACE = "nova_profiler"


def prometheus_name(metric: Metric) -> str:
    """Return the name of *metric*, a histogram in seconds or a counter."""
    if metric.is_counter:
        return f"{_SPACE}_{metric.name}_total"
    return f"{_SPACE}_{metric.name}_seconds"
