# SPDX-License-Identifier: Apache-2.0
"""PromQL that rules and dashboards share."""

from __future__ import annotations

from nova_profiler import groups, record
from nova_profiler.reading.metrics.prometheus_names import prometheus_name
from nova_profiler.record.metric_labels import METRICS

_BY_NAME = {metric.name: metric for metric in METRICS}
# From here on a request is slow, a second: a bound of the histograms. From
# Prometheus 3 on it is written 1.0.
SLOW_S = r"1(\\.0)?"


def name_of(metric: str) -> str:
    """Return what *metric*, a name of the table, is called in Prometheus."""
    return prometheus_name(_BY_NAME[metric])


REQUEST = name_of(record.REQUEST.name)
DB_API = name_of(groups.DB_API.name)
POOL_WAIT = name_of(groups.POOL_WAIT.name)
FAULTS = name_of("profiler")


def per_second(
    metric: str, of: str, by: str, over: str, where: str = ""
) -> str:
    """Return the growth a second of a histogram's part *of*, added up *by*.

    *where* chooses by labels, as Prometheus writes them, without the braces.
    """
    chosen = f"{{{where}}}" if where else ""
    return f"sum by ({by}) (rate({metric}_{of}{chosen}[{over}]))"


def slow_share(by: str, over: str, where: str = "") -> str:
    """Return the share of requests that took a second or longer."""
    bound = f'le=~"{SLOW_S}"'
    within = f"{where},{bound}" if where else bound
    quick = per_second(REQUEST, "bucket", by, over, within)
    return f"1 - {quick} / {per_second(REQUEST, 'count', by, over, where)}"


def share_of_time(metric: str, by: str, over: str, where: str = "") -> str:
    """Return the time of *metric* over the time of all requests."""
    part = per_second(metric, "sum", by, over, where)
    return f"{part} / {per_second(REQUEST, 'sum', by, over, where)}"


def quantile(q: float, by: str, over: str, where: str = "") -> str:
    """Return a quantile of the times of requests, in seconds."""
    rates = per_second(REQUEST, "bucket", f"le, {by}", over, where)
    return f"histogram_quantile({q:g}, {rates})"
