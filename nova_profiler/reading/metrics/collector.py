# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry Collector's configuration: a statsd receiver.

It reads the labels of dogstatsd. Times stay milliseconds, as histograms
whose bounds find themselves.
https://github.com/open-telemetry/opentelemetry-collector-contrib
"""

from __future__ import annotations

_TEXT = """\
# Needs statsd_labels = dogstatsd in [nova_profiler]. Metrics are named
# {prefix}.request, {prefix}.db_api and so on; their unit is the millisecond.
receivers:
  statsd:
    endpoint: 127.0.0.1:8125
    aggregation_interval: 10s
    enable_metric_type: true
    timer_histogram_mapping:
      - statsd_type: timing
        observer_type: histogram
        histogram:
          max_size: 160
processors:
  batch: {{}}
exporters:
  otlphttp:
    # Where your metrics go.
    endpoint: http://127.0.0.1:4318
service:
  pipelines:
    metrics/nova_profiler:
      receivers: [statsd]
      processors: [batch]
      exporters: [otlphttp]
"""


def text(prefix: str) -> str:
    """Return the configuration, YAML, for metrics below *prefix*."""
    return _TEXT.format(prefix=prefix)
