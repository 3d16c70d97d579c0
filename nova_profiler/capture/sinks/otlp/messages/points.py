# SPDX-License-Identifier: Apache-2.0
"""Times and faults as the points of OTLP's metrics, each a delta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
)

from nova_profiler.capture.sinks.otlp.histograms import (
    SCALE,
    Delta,
    Slowest,
)
from nova_profiler.capture.sinks.otlp.messages import names
from nova_profiler.capture.sinks.otlp.messages.attributes import (
    add_attribute,
    fill_origin,
    nanoseconds,
)
from nova_profiler.capture.sinks.otlp.messages.ids import (
    span_id_of,
    trace_id_of,
)


def request_of(
    deltas: Iterable[Delta],
    faults: Mapping[str, int],
    origin: tuple[str, str, int],
    since: int,
    now: int,
) -> ExportMetricsServiceRequest:
    """Return the message that hands over *deltas* and *faults*.

    *origin* is service, host and pid; *since* and *now* are nanoseconds
    since 1970, between which all that was.
    """
    made = ExportMetricsServiceRequest()
    part = made.resource_metrics.add()
    scope = part.scope_metrics.add()
    fill_origin(part, scope, *origin)
    metrics: dict[str, Any] = {}
    for delta in deltas:
        name, labels = names.METRICS[delta.series.metric]
        metric = metrics.get(name)
        if metric is None:
            metric = metrics[name] = scope.metrics.add(name=name, unit="s")
            metric.exponential_histogram.aggregation_temporality = (
                AGGREGATION_TEMPORALITY_DELTA
            )
        point = metric.exponential_histogram.data_points.add()
        point.start_time_unix_nano, point.time_unix_nano = since, now
        _fill(point, delta, labels)
    if faults:
        _add_faults(scope.metrics.add(name=names.FAULTS), faults, since, now)
    return made


def _fill(point: Any, delta: Delta, labels: tuple[str, ...]) -> None:
    values = delta.series.labels
    if values is None:
        add_attribute(point.attributes, names.OVERFLOW, True)
    else:
        for key, value in zip(labels, values, strict=False):
            # 0: the application has given no status.
            if value:
                add_attribute(point.attributes, key, value)
    point.count = delta.count
    point.sum = delta.sum_s
    point.scale = SCALE
    first, last = min(delta.buckets), max(delta.buckets)
    point.positive.offset = first
    point.positive.bucket_counts.extend(
        delta.buckets.get(place, 0) for place in range(first, last + 1)
    )
    if delta.slowest is not None:
        _fill_exemplar(point.exemplars.add(), delta.slowest)


def _fill_exemplar(exemplar: Any, slowest: Slowest) -> None:
    exemplar.as_double = slowest.seconds
    exemplar.time_unix_nano = nanoseconds(slowest.started_at)
    exemplar.trace_id = trace_id_of(slowest)
    exemplar.span_id = span_id_of(slowest)
    if slowest.request_id is not None:
        add_attribute(
            exemplar.filtered_attributes,
            names.OURS + "request_id",
            slowest.request_id,
        )


def _add_faults(
    metric: Any, faults: Mapping[str, int], since: int, now: int
) -> None:
    metric.unit = "{fault}"
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    for what, count in faults.items():
        point = metric.sum.data_points.add()
        point.start_time_unix_nano, point.time_unix_nano = since, now
        point.as_int = count
        add_attribute(point.attributes, names.WHAT, what)
