# SPDX-License-Identifier: Apache-2.0
"""The floor's log line and its datagram, formatted by hand."""

from __future__ import annotations

import os
import re
import socket
import time
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from benchmarks.contenders.floor_record import Record

# name -> count, total, largest, part of the driver
Totals = dict[str, list[int]]

_HOST = quoted(socket.gethostname()).replace("%", "%%")
_HEAD = (
    '{"@timestamp": "%s", "@version": "1", "schema": 1, '
    f'"service": "nova-api", "host": {_HOST}, "pid": {os.getpid()}, '
)
_LINE = _HEAD + (
    '"request_id": %s, "global_request_id": %s, "started_at": "%s", '
    '"method": %s, "path": %s, "route": "%s", "action": null, '
    '"status": %s, "response_bytes": %d, "user_id": %s, '
    '"project_id": %s, "user_name": null, "project_name": null, '
    '"remote_address": %s, "outcome": "%s", "error": null, '
    '"dropped_calls": 0, "profile": null, "duration_ms": %.3f, '
    '"app_ms": %.3f, "cpu_ms": %.3f, "self_ms": 0, '
    '"groups": {%s}, "breakdown_ms": {%s}, "calls": [%s], "counts": {}}\n'
)
_GROUP = '"%s": {"calls": %d, "ms": %.3f, "wall_ms": %.3f}'
_ROW = (
    '{"group": "%s", "name": "%s", "count": %d, "ms": %.3f, '
    '"max_ms": %.3f, "errors": 0}'
)
_API_ROW = _ROW[:-1] + ', "driver_ms": %.3f}'
_BUCKETS = '"sql": %.3f, "sqlalchemy": %.3f, "python": %.3f'
_NAMES = re.compile(r"\s*(\w+).*?(?:FROM|INTO|UPDATE)\s+(\w+)", re.S)
_PREFIXES = ("nova.nova-api.db_api.", "nova.nova-api.sql.")
_MS = 1e-6

_statement_names: dict[str, str] = {}
_second = [0, ""]


def line_of(
    record: Record, environ: dict[str, Any]
) -> tuple[bytes, tuple[Totals, Totals]]:
    """Return one JSON line, and the totals by name that are in it."""
    api: Totals = {}
    sql: Totals = {}
    groups = rows = ""
    api_ns = sql_in_api = 0
    sql_ns = record.driver_ns
    if record.calls or record.statements:
        api, sql = _api_totals(record), _sql_totals(record)
        api_ns = sum([row[1] for row in api.values()])
        sql_in_api = sum([row[3] for row in api.values()])
        groups, rows = _groups(api, api_ns, sql, sql_ns), _rows(api, sql)
    started = _iso(record.started_at)
    context = environ.get("nova.context")
    script = environ["SCRIPT_NAME"]
    get = environ.get
    line = _LINE % (
        started,
        _text(get("openstack.request_id")),
        _text(get("openstack.global_request_id")),
        started,
        quoted(environ["REQUEST_METHOD"]),
        quoted(environ["PATH_INFO"]),
        script + environ["routes.route"].routelist[0],
        record.status,
        record.bytes,
        _text(context.user_id),
        _text(context.project_id),
        _text(get("REMOTE_ADDR")),
        "failed" if record.status >= "500" else "ok",
        record.duration_ns * _MS,
        record.app_ns * _MS,
        record.cpu_ns * _MS,
        groups,
        _BUCKETS
        % (
            sql_ns * _MS,
            (api_ns - sql_in_api) * _MS,
            (record.duration_ns - api_ns - sql_ns + sql_in_api) * _MS,
        ),
        rows,
    )
    return line.encode("ascii"), (api, sql)


def metrics_of(
    record: Record, environ: dict[str, Any], totals: tuple[Totals, Totals]
) -> bytes:
    """Return the request's timings as one datagram."""
    duration_ms = record.duration_ns * _MS
    lines = [
        "nova.nova-api.request.v2_1_servers_detail."
        f"{environ['REQUEST_METHOD']}.{record.status}:{duration_ms:.3f}|ms"
    ]
    for prefix, rows in zip(_PREFIXES, totals, strict=True):
        for name, row in rows.items():
            metric = name.replace(" ", ".")
            mean_ms = row[1] / row[0] * _MS
            lines.append(f"{prefix}{metric}:{mean_ms:.3f}|ms")
    return "\n".join(lines).encode("ascii")


def _api_totals(record: Record) -> Totals:
    totals: Totals = {}
    for name, taken, driver in record.calls:
        row = totals.get(name)
        if row is None:
            totals[name] = [1, taken, taken, driver]
            continue
        row[0] += 1
        row[1] += taken
        row[3] += driver
        if taken > row[2]:
            row[2] = taken
    return totals


def _sql_totals(record: Record) -> Totals:
    totals: Totals = {}
    for statement, taken in record.statements:
        name = _statement_names.get(statement)
        if name is None:
            match = _NAMES.match(statement)
            name = " ".join(match.groups()) if match else "OTHER"
            _statement_names[statement] = name
        row = totals.get(name)
        if row is None:
            totals[name] = [1, taken, taken]
            continue
        row[0] += 1
        row[1] += taken
        if taken > row[2]:
            row[2] = taken
    return totals


def _groups(api: Totals, api_ns: int, sql: Totals, sql_ns: int) -> str:
    groups = []
    for name, rows, total in (("db_api", api, api_ns), ("sql", sql, sql_ns)):
        if rows:
            count = sum([row[0] for row in rows.values()])
            groups.append(_GROUP % (name, count, total * _MS, total * _MS))
    return ", ".join(groups)


def _rows(api: Totals, sql: Totals) -> str:
    rows = [
        _API_ROW
        % ("db_api", name, row[0], row[1] * _MS, row[2] * _MS, row[3] * _MS)
        for name, row in api.items()
    ]
    rows += [
        _ROW % ("sql", name, row[0], row[1] * _MS, row[2] * _MS)
        for name, row in sql.items()
    ]
    return ", ".join(rows)


def _iso(seconds: float) -> str:
    whole = int(seconds)
    if _second[0] != whole:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second[:] = [whole, text]
    return f"{_second[1]}.{int((seconds - whole) * 1e6):06d}+00:00"


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)
