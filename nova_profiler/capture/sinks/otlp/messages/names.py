# SPDX-License-Identifier: Apache-2.0
"""The words of OpenTelemetry's semantic conventions, beside ours.

https://opentelemetry.io/docs/specs/semconv/ of version 1.40. What they have no
word for begins with ``nova_profiler.``.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.groups import (
    CACHE,
    CONNECT,
    DB_API,
    FETCH,
    HTTP,
    IDENTITY,
    PING,
    POOL_WAIT,
    PROCESS,
    RPC,
    SQL,
    TIMED,
    TRANSACTION,
    Group,
)
from nova_profiler.record import MESSAGE, PERIODIC, REQUEST, TASK
from nova_profiler.record.metric_labels import WAIT

OURS = "nova_profiler."

# Of what sends.
SERVICE, HOST, PID = "service.name", "host.name", "process.pid"
SCOPE = "nova_profiler"
# What a series is that stands for all that are too many.
OVERFLOW = "otel.metric.overflow"
FAULTS = OURS + "faults"
WHAT = OURS + "what"
GROUP = OURS + "group"
ERROR = "error.type"
ROWS = "db.response.returned_rows"
LINE = OURS + "made_by"
LANE = OURS + "lane"
QUERY = "db.query.summary"
OUTCOME = OURS + "outcome"
BREAKDOWN = OURS + "breakdown_ms."

# Metrics, in seconds: name and labels, which are in the order of those that
# ``metric_labels`` has.
METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    REQUEST.name: (
        "http.server.request.duration",
        ("http.route", "http.request.method", "http.response.status_code"),
    ),
    MESSAGE.name: (
        "rpc.server.call.duration",
        ("messaging.destination.name", "rpc.method"),
    ),
    TASK.name: (
        OURS + "task.duration",
        (OURS + "pool", "code.function.name"),
    ),
    PERIODIC.name: (OURS + "periodic.duration", ("code.function.name",)),
    MESSAGE.name + WAIT: (
        OURS + "message.wait",
        ("messaging.destination.name",),
    ),
    TASK.name + WAIT: (OURS + "task.wait", (OURS + "pool",)),
    PERIODIC.name + WAIT: (OURS + "periodic.wait", ("code.function.name",)),
}

# Fields of a record that its span has, where they are known: first those of
# requests alone. Few values are in many records...
REQUEST_FIELDS = (
    ("method", "http.request.method"),
    ("route", "http.route"),
)
FIELDS = (
    ("error", ERROR),
    ("kind", OURS + "kind"),
    ("action", OURS + "action"),
    ("outcome", OUTCOME),
)
# ... or most records have one of their own.
OWN_REQUEST_FIELDS = (
    ("path", "url.path"),
    ("response_bytes", "http.response.body.size"),
    ("remote_address", "client.address"),
)
OWN_FIELDS = (
    ("user_id", "user.id"),
    ("project_id", OURS + "project_id"),
    ("request_id", OURS + "request_id"),
    ("global_request_id", OURS + "global_request_id"),
    ("record_id", OURS + "record_id"),
    ("cpu_ms", OURS + "cpu_ms"),
    ("wait_ms", OURS + "wait_ms"),
)
STATUS = "http.response.status_code"


class Words(NamedTuple):
    """What the words of a call's name are, and which kind its span has."""

    attributes: tuple[str, ...]
    # Whether the call leaves the process for a server that answers.
    is_client: bool = False
    # The fewest words that a name with these meanings has.
    least: int = 1


_DATABASE = Words(("db.operation.name", "db.collection.name"), True)
_TO_DATABASE = Words(("db.namespace",), True)

_WORDS: dict[str, Words] = {
    SQL.name: _DATABASE,
    FETCH.name: _DATABASE,
    TRANSACTION.name: _DATABASE,
    CONNECT.name: _TO_DATABASE,
    PING.name: _TO_DATABASE,
    POOL_WAIT.name: Words(("db.client.connection.pool.name",)),
    DB_API.name: Words(("code.function.name",)),
    HTTP.name: Words(
        ("service.peer.name", "http.request.method", "url.template"), True, 2
    ),
    IDENTITY.name: Words(("http.request.method", "url.template"), True, 2),
    CACHE.name: Words((OURS + "cache", "db.operation.name"), True),
    RPC.name: Words(("messaging.destination.name", "rpc.method"), True),
    PROCESS.name: Words(("process.executable.name",)),
    TIMED.name: Words(("code.function.name",)),
}


def words_of(group: Group) -> Words:
    """Return what the words of names in *group* are.

    Words of ours where the conventions have none.
    """
    found = _WORDS.get(group.name)
    return found or Words(tuple(OURS + word for word in group.metric))
