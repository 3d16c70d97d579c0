# SPDX-License-Identifier: Apache-2.0
"""One request as a line of a log has it."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.reading.advice.adding_up import Found


class AccessEntry(NamedTuple):
    """One answered request, read from any form of log line.

    ``at`` is the end of the request in seconds since 1970 UTC, None where
    the line has no time. A field is None where the form has no value for
    it. ``route`` has its identifiers as ``{id}``, as records have.
    """

    form: str
    service: str
    at: float | None
    method: str
    route: str
    status: int
    ms: float
    response_bytes: int | None = None
    request_id: str | None = None
    global_request_id: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    remote_address: str | None = None
    db_api_ms: float | None = None
    db_api_calls: int | None = None
    breakdown_ms: dict[str, float] | None = None
    # A moment with several calls counts once here, and for each in db_api_ms.
    db_api_wall_ms: float | None = None
    # What rules of advice find in it, each with its rule's name; None where
    # the form does not say what they look at.
    found: tuple[Found, ...] | None = None
    # What a front or a client knows: where its time went, and the time that
    # the service itself logged for the same call.
    waits_ms: dict[str, float] | None = None
    server_ms: float | None = None
    # How a front says that the call ended, None where it ended well.
    ended: str | None = None
    # The front whose waits these are, where its client logged the call, too.
    front: str | None = None
    # What a record knows of the waiting in ``breakdown_ms``.
    unnamed_ms: dict[str, float] | None = None

    @property
    def user(self) -> str:
        """Return the user, by name rather than by id, ``-`` for none."""
        return self.user_name or self.user_id or "-"

    @property
    def project(self) -> str:
        """Return the project, by name rather than by id, ``-`` for none."""
        return self.project_name or self.project_id or "-"
