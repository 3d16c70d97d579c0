# SPDX-License-Identifier: Apache-2.0
"""Records of log collectors: which key is what, by collector.

A new collector is one row of ``COLLECTORS``.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Collector(NamedTuple):
    """The keys of a collector's records; a point leads into an object.

    ``text`` is the whole line, or its message where ``logger`` is apart.
    ``names`` name the service: a file, a container, a unit. Of several keys
    the first that is there counts. ``within`` is the key that holds the
    record itself.
    """

    name: str
    text: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    host: tuple[str, ...] = ("host", "hostname")
    time: tuple[str, ...] = ("@timestamp", "timestamp", "time")
    pid: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    logger: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


_CONTAINERS = (
    "container_name",
    "container",
    "kubernetes.container_name",
    "kubernetes.container.name",
    "kubernetes.pod_name",
    "kubernetes.pod.name",
    "pod",
)
_OSLO = ("python_module", "logger_name", "module", "logger")

# What most collectors have in common, which records without a text have, too.
PLAIN = Collector(
    "filebeat, Vector, logstash, rsyslog",
    ("message", "msg", "event.original"),
    (
        "log.file.path",
        "file",
        "path",
        "source",
        "container.name",
        *_CONTAINERS,
        "process.name",
        "program",
        "programname",
        "appname",
        "service.name",
        "service",
        "tag",
        "unit",
    ),
    ("host.name", "host.hostname", "host", "hostname"),
    pid=("process.pid", "pid", "procid", "process"),
    level=("log.level", "loglevel", "level", "severity"),
    logger=_OSLO,
)

COLLECTORS = (
    Collector("Elasticsearch and OpenSearch", within=("_source",)),
    Collector("Splunk", within=("result",)),
    Collector("Cloud Logging", within=("jsonPayload",)),
    Collector(
        "journald",
        ("MESSAGE",),
        ("_SYSTEMD_UNIT", "CONTAINER_NAME", "SYSLOG_IDENTIFIER"),
        ("_HOSTNAME",),
        ("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP"),
        ("_PID",),
    ),
    Collector(
        "kolla's fluentd",
        ("Payload",),
        ("programname", "Logger", "filename"),
        ("Hostname", "host"),
        ("Timestamp", "@timestamp", "timestamp"),
        ("Pid", "pid"),
        ("log_level", "severity_label"),
        _OSLO,
    ),
    Collector(
        "Loki",
        ("line",),
        (
            "labels.container",
            "labels.filename",
            "labels.pod",
            "labels.unit",
            "labels.service_name",
            "labels.programname",
            "labels.app",
            "labels.job",
        ),
        ("labels.host", "labels.hostname", "labels.node_name"),
        ("timestamp",),
    ),
    Collector(
        "Splunk, the event itself",
        ("_raw",),
        ("source", "sourcetype"),
        ("host",),
        ("_time",),
    ),
    Collector(
        "docker, fluent-bit",
        ("log",),
        (*_CONTAINERS, "attrs.tag", "tag", "filename"),
        ("hostname", "kubernetes.host", "host"),
        ("time", "@timestamp", "date"),
    ),
    Collector(
        "GELF",
        ("full_message", "short_message"),
        (
            "_container_name",
            "_file",
            "_program",
            "_process_name",
            "_service",
            "_unit",
            "_tag",
            "facility",
        ),
        ("host", "source"),
        ("timestamp",),
    ),
    PLAIN,
    # A dashboard shows each field as an array.
    Collector("OpenSearch's fields", within=("fields",)),
)

# Records that a collector took apart: which key is which field.
FIELDS = {
    "method": (
        "http_method",
        "http_verb",
        "verb",
        "request_method",
        "http.request.method",
        "api_method",
        "method",
    ),
    "path": (
        "http_path",
        "http_url",
        "request_uri",
        "requestpath",
        "url.original",
        "url.path",
        "http_request",
        "api_path",
        "api_url",
        "uri",
        "path",
        "url",
    ),
    "status": (
        "http_status",
        "http_status_code",
        "http.response.status_code",
        "api_status",
        "api_status_code",
        "response_code",
        "response",
        "status_code",
        "status",
    ),
    "bytes": (
        "http_content_length",
        "http.response.body.bytes",
        "body_bytes_sent",
        "bytes",
    ),
    "request_id": ("request_id", "req_id", "x_openstack_request_id"),
    "global_request_id": ("global_request_id", "global_req_id"),
    "user": ("user_id", "user", "userid"),
    "project": ("project_id", "tenant_id", "tenant", "project", "projectid"),
    "address": (
        "client_ip",
        "remote_addr",
        "client.address",
        "source.address",
        "requesterip",
        "clientip",
        "ip_address",
    ),
    "request": ("request", "http_request_line"),
    "upstream": ("upstream_response_time",),
}
# The time, with the milliseconds of its unit.
TIMES = (
    ("api_response_time_num", 1000.0),
    ("http_request_time", 1000.0),
    ("http_response_time", 1000.0),
    ("api_response_time", 1000.0),
    ("request_time", 1000.0),
    ("duration_ms", 1.0),
    ("response_time_ms", 1.0),
    ("time_duration", 1.0),
    ("event.duration", 1e-6),
)


def value_of(fields: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """Return the first value that *fields* have by *keys*, None for none.

    ``a.b`` is a key of that name, or ``b`` in the object ``a``. An array of
    one value is that value.
    """
    for key in keys:
        value = fields.get(key)
        if value is None and "." in key:
            value = _inner(fields, key)
        if isinstance(value, list) and len(value) == 1:
            (one,) = value
            value = one if isinstance(one, (str, int, float)) else value
        if value is not None and value != "":
            return value
    return None


def _inner(fields: Any, key: str) -> Any:
    first, _, rest = key.partition(".")
    inner = fields.get(first)
    if not isinstance(inner, dict):
        return None
    value = inner.get(rest)
    return _inner(inner, rest) if value is None and "." in rest else value
