# SPDX-License-Identifier: Apache-2.0
"""Recording and alert rules of Prometheus.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.reading.metrics import queries

_HEAD = """\
# nova-profiler's rules. Shares are of 0 to 1. Test: promtool check rules FILE
groups:
  - name: nova_profiler
    rules:
"""
_OVER = "5m"
# Label names in the text are Prometheus's, not ours.
_SERVICE = "{{ $labels.service }}"
_SHARE = "{{ $value | humanizePercentage }}"


class Alert(NamedTuple):
    """A rule that an operator is called for."""

    name: str
    expr: str
    wait: str
    summary: str
    remedy: str


RECORDED = (
    (
        "nova_profiler:request_slow:ratio_rate5m",
        queries.slow_share("service, route, method", _OVER),
    ),
    (
        "nova_profiler:db_api_time:ratio_rate5m",
        queries.share_of_time(queries.DB_API, "service", _OVER),
    ),
    (
        "nova_profiler:pool_wait_time:ratio_rate5m",
        queries.share_of_time(queries.POOL_WAIT, "service", _OVER),
    ),
    (
        "nova_profiler:request_p99_seconds:rate5m",
        queries.quantile(0.99, "service, route, method", _OVER),
    ),
)

ALERTS = (
    Alert(
        "NovaRequestsSlow",
        f"{queries.slow_share('service', _OVER)} > 0.05",
        "10m",
        f"{_SHARE} of the requests of {_SERVICE} take a second or longer",
        "nova-profiler list --slowest has them, show --slowest one of them.",
    ),
    Alert(
        "NovaDatabaseSlow",
        f"{queries.share_of_time(queries.DB_API, 'service', _OVER)} > 0.6",
        "15m",
        f"{_SHARE} of the time of {_SERVICE}'s requests is the database's",
        "nova-profiler calls has the calls of each route.",
    ),
    Alert(
        "NovaWaitsForConnections",
        f"{queries.share_of_time(queries.POOL_WAIT, 'service', _OVER)} > 0.1",
        "10m",
        f"{_SHARE} of the time of {_SERVICE}'s requests is waiting for a "
        "connection of the pool",
        "Raise [database] max_pool_size, or run more workers.",
    ),
    Alert(
        "NovaProfilerFaults",
        f"sum by (service, what) (rate({queries.FAULTS}[{_OVER}])) > 0.1",
        "15m",
        f"nova-profiler in {_SERVICE} reports {{{{ $labels.what }}}}",
        "nova-profiler check has the reason.",
    ),
)


def text(prefix: str) -> str:
    """Return the rules, YAML; *prefix* is that of statsd, not of theirs."""
    lines = []
    for name, expr in RECORDED:
        lines += [f"      - record: {name}", f"        expr: '{expr}'"]
    for alert in ALERTS:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: '{alert.expr}'",
            f"        for: {alert.wait}",
            "        labels: {severity: warning}",
            "        annotations:",
            f'          summary: "{alert.summary}"',
            f'          description: "{alert.remedy}"',
        ]
    return _HEAD + "".join(f"{line}\n" for line in lines)
