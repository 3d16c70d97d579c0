# SPDX-License-Identifier: Apache-2.0
"""The head of a request's page: what it was, and its ids to copy."""

from __future__ import annotations

import shlex

from nova_profiler.reading.record_words import user_of
from nova_profiler.reading.screen.terminal import bytes_text, time_text
from nova_profiler.record import RequestRecord


def facts_of(record: RequestRecord) -> list[tuple[str, str]]:
    """Return names and values, for what is known."""
    sent = record.response_bytes
    facts: list[tuple[str, str | None]] = [
        ("began", f"{time_text(record.started_at)} UTC"),
        ("user", user_of(record)),
        ("path", record.path if record.path != record.route else None),
        ("from", record.remote_address),
        ("service", f"{record.service} on {record.host} pid {record.pid:.0f}"),
        ("sent", "unknown" if sent is None else bytes_text(sent)),
        ("cpu", None if record.cpu_ms is None else f"{record.cpu_ms:.1f} ms"),
    ]
    return [(name, value) for name, value in facts if value]


def ids_of(record: RequestRecord, dump_dir: str = "") -> list[tuple[str, str]]:
    """Return the ids that logs, databases and other commands know it by.

    The command that prints it is the last of them; it is given *dump_dir*,
    if that is known.
    """
    request_id = record.request_id
    place = f" --dump-dir {shlex.quote(dump_dir)}" if dump_dir else ""
    ids = [
        ("request id", request_id),
        ("global id", record.global_request_id),
        ("record", record.record_id),
        ("sent by", record.parent_id),
        ("user id", record.user_id),
        ("project id", record.project_id),
        (
            "in a terminal",
            f"nova-profiler show {shlex.quote(request_id)}{place}"
            if request_id
            else None,
        ),
    ]
    return [(name, value) for name, value in ids if value]
