# SPDX-License-Identifier: Apache-2.0
"""Whether answers are the same with the filter, and records are right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.other_services.services import Request, Service

# What a service makes anew for each run: ids, times, tokens, signatures.
_ANEW = re.compile(
    r"gAAAA[\w=-]{40,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{32}\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
    r"|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
    r"|(?<=\"audit_ids\": \[\")[\w-]{22}"
)
# The parts of a request's time add up to it, in milliseconds.
_ROUNDING_MS = 0.1
_ID_HEADERS = ("x-openstack-request-id", "x-compute-request-id")


def differences(
    service: Service, without: Sequence[Any], with_it: Sequence[Any]
) -> Iterator[str]:
    """Yield each way in which the filter changed an answer."""
    for request, one, two in zip(
        service.requests, without, with_it, strict=True
    ):
        called = f"{request.method} {request.path}"
        if int(one["status"][:3]) != request.status:
            yield (
                f"{called}: {one['status']} without the filter, expected "
                f"{request.status}: {one['body'][:300]}"
            )
        for part in "status", "headers", "body":
            # Of the same length, since only what is new differs.
            if _same(one[part]) != _same(two[part]):
                yield (
                    f"{called}: {part} {two[part]!r:.300} with the filter, "
                    f"{one[part]!r:.300} without"
                )


def _same(found: Any) -> Any:
    """Return *found* with what is new in each run by its length."""
    if isinstance(found, str):
        return _ANEW.sub(lambda match: "#" * len(match[0]), found)
    return [[name, _same(value)] for name, value in found]


def faults(
    service: Service, answers: Sequence[Any], records: Sequence[Any]
) -> Iterator[str]:
    """Yield each way in which a record is not what the request was."""
    if len(records) != len(service.requests):
        yield f"{len(records)} records of {len(service.requests)} requests"
        return
    for request, answer, record in zip(
        service.requests, answers, records, strict=True
    ):
        called = f"{request.method} {request.path}"
        for fault in _faults_of(service, request, answer, record):
            yield f"{called}: {fault}"


def _faults_of(
    service: Service, request: Request, answer: Any, record: Any
) -> Iterator[str]:
    wanted = {
        "service": service.service,
        "method": request.method,
        "status": int(answer["status"][:3]),
        "route": request.route,
        "response_bytes": len(answer["body"]),
    }
    headers = dict(answer["headers"])
    ids = [headers[name] for name in _ID_HEADERS if name in headers]
    if ids:
        wanted["request_id"] = ids[0]
    for name, value in wanted.items():
        if record[name] != value:
            yield f"{name} is {record[name]!r}, expected {value!r}"
    statements = record["groups"].get("sql", {}).get("calls", 0)
    if bool(statements) != request.has_sql:
        yield f"{statements} statements"
    called = {
        call["name"] for call in record["calls"] if call["group"] == "db_api"
    }
    missing = [
        name
        for name in request.db_api
        if not any(one.rpartition(".")[2] == name for one in called)
    ]
    if missing:
        yield f"no DB API call {', '.join(missing)} among {sorted(called)}"
    rest = record["duration_ms"] - sum(record["breakdown_ms"].values())
    if abs(rest) > _ROUNDING_MS:
        yield f"the breakdown lacks {rest:.3f} ms"
