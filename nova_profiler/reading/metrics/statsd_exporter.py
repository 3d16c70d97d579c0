# SPDX-License-Identifier: Apache-2.0
"""The mapping of Prometheus's statsd_exporter.

Names have their words between dots and become labels; with statsd_labels =
dogstatsd the exporter reads these itself. Its timings are in seconds.
https://github.com/prometheus/statsd_exporter
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_profiler.reading.metrics.prometheus_names import (
    BUCKETS,
    prometheus_name,
)
from nova_profiler.record.metric_labels import METRICS, Metric

_HEAD = """\
# nova-profiler's metrics as Prometheus has them:
#   statsd_exporter --statsd.mapping-config=THIS_FILE
defaults:
  observer_type: histogram
  histogram_options:
    buckets: [{buckets}]
mappings:
"""


def text(prefix: str) -> str:
    """Return the mapping, YAML, of metrics below *prefix*."""
    buckets = ", ".join(f"{bound:g}" for bound in BUCKETS)
    lines = [line for one in METRICS for line in _rules(prefix, one)]
    return _HEAD.format(buckets=buckets) + "".join(f"{one}\n" for one in lines)


def _rules(prefix: str, metric: Metric) -> Iterator[str]:
    """Yield the rule of either form of its name."""
    words = ("service", *metric.labels)
    stars = ".*" * len(metric.labels)
    yield f'  - match: "{prefix}.*.{metric.name}{stars}"'
    yield f"    name: {prometheus_name(metric)}"
    yield "    labels:"
    for number, word in enumerate(words, 1):
        yield f'      {word}: "${number}"'
    yield f'  - match: "{prefix}.{metric.name}"'
    yield f"    name: {prometheus_name(metric)}"
