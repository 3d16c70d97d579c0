# SPDX-License-Identifier: Apache-2.0
"""A dashboard of Grafana over Prometheus, as its import takes it.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_profiler.groups import GROUPS
from nova_profiler.reading.metrics import queries

_SCHEMA = 39
_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_OVER = "$__rate_interval"
_CHOSEN = 'service=~"$service"'
_HEAT = (
    f"sum by (le) (increase({queries.REQUEST}_bucket"
    f"{{{_CHOSEN}}}[$__interval]))"
)


class Query(NamedTuple):
    """One question of a panel, and what its answers are called there."""

    expr: str
    legend: str


class Panel(NamedTuple):
    """One panel: what it draws, and how wide it is, of 24."""

    title: str
    kind: str
    unit: str
    width: int
    queries: Sequence[Query]
    description: str = ""


def _top(expr: str) -> str:
    return f"topk(10, {expr})"


def _parts() -> list[Query]:
    """Return the time of each group a second of requests."""
    return [
        Query(
            queries.share_of_time(
                queries.name_of(group.name), "service", _OVER, _CHOSEN
            ),
            group.name,
        )
        for group in GROUPS
    ]


def _waits() -> list[Query]:
    """Return the names of each group that took the most time."""
    found = []
    for group in GROUPS:
        if group.metric:
            by = ", ".join(group.metric)
            name = queries.name_of(group.name)
            words = " ".join(f"{{{{{word}}}}}" for word in group.metric)
            found.append(
                Query(
                    _top(queries.per_second(name, "sum", by, _OVER, _CHOSEN)),
                    f"{group.name} {words}",
                )
            )
    return found


def panels() -> list[Panel]:
    """Return what the dashboard shows, from the top."""
    by = "route, method"
    legend = "{{method}} {{route}}"
    time_of = queries.per_second(queries.REQUEST, "sum", by, _OVER, _CHOSEN)
    return [
        Panel(
            *("Requests that took so long", "heatmap", "s", 24),
            [Query(_HEAT, "{{le}}")],
        ),
        Panel(
            *("Share of a second or longer", "timeseries", "percentunit", 8),
            [
                Query(
                    queries.slow_share("service", _OVER, _CHOSEN),
                    "{{service}}",
                )
            ],
        ),
        Panel(
            *("p99 by route", "timeseries", "s", 8),
            [Query(_top(queries.quantile(0.99, by, _OVER, _CHOSEN)), legend)],
        ),
        Panel(
            *("Time by route", "timeseries", "s", 8),
            [Query(_top(time_of), legend)],
            "Seconds of requests in a second: what all of them took together.",
        ),
        Panel(
            *("Where the time goes", "timeseries", "percentunit", 12),
            _parts(),
            "Share of the time of requests. db_api contains the driver's; "
            "calls in other threads count for themselves.",
        ),
        Panel(
            *("DB API", "timeseries", "s", 12),
            [
                Query(
                    _top(
                        queries.per_second(
                            queries.DB_API, "sum", "function", _OVER, _CHOSEN
                        )
                    ),
                    "{{function}}",
                )
            ],
        ),
        Panel("Calls and waits by name", "timeseries", "s", 24, _waits()),
    ]


def text(prefix: str) -> str:
    """Return the dashboard, JSON; *prefix* is that of statsd."""
    drawn = []
    left = top = 0
    for number, panel in enumerate(panels(), 1):
        if left + panel.width > _WIDTH:
            left, top = 0, top + 8
        place = {"h": 8, "w": panel.width, "x": left, "y": top}
        drawn.append({"id": number, "gridPos": place, **_drawn(panel)})
        left += panel.width
    return json.dumps(_dashboard(drawn), indent=2) + "\n"


def _drawn(panel: Panel) -> dict[str, Any]:
    targets = [
        {
            "refId": f"q{number}",
            "datasource": _SOURCE,
            "expr": query.expr,
            "legendFormat": query.legend,
            **({"format": "heatmap"} if panel.kind == "heatmap" else {}),
        }
        for number, query in enumerate(panel.queries)
    ]
    return {
        "title": panel.title,
        "description": panel.description,
        "type": panel.kind,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": _OPTIONS.get(panel.kind, {}),
    }


_OPTIONS = {
    "heatmap": {"calculate": False, "yAxis": {"unit": "s"}},
    "timeseries": {"tooltip": {"mode": "multi", "sort": "desc"}},
}


def _dashboard(drawn: list[dict[str, Any]]) -> dict[str, Any]:
    services = f"label_values({queries.REQUEST}_count, service)"
    return {
        "title": "Nova: where the time goes",
        "uid": "nova-profiler",
        "tags": ["openstack", "nova"],
        "schemaVersion": _SCHEMA,
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                },
                {
                    "name": "service",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": {"query": services, "refId": "services"},
                    "includeAll": True,
                    "multi": True,
                    "current": {"text": "All", "value": "$__all"},
                },
                {
                    "name": "pages",
                    "label": "nova-profiler serve",
                    "type": "textbox",
                    "query": "http://127.0.0.1:7775/",
                },
            ]
        },
        "links": [
            {
                "title": "Requests behind it",
                "type": "link",
                "url": "${pages}",
                "targetBlank": True,
            }
        ],
        "panels": drawn,
    }
