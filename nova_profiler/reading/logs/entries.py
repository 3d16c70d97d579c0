# SPDX-License-Identifier: Apache-2.0
"""One request as a line of a log tells it."""

from __future__ import annotations

from typing import NamedTuple


class AccessEntry(NamedTuple):
    """One answered request, whichever form of log line it was read from.

    ``at`` is the end of the request in seconds since 1970 UTC, None where
    the line has no time. A form that logs no value leaves None; ``route``
    has its identifiers as ``{id}``, so that logs and records agree.
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
    # The sum counts a moment once for each call in it, this one once.
    db_api_wall_ms: float | None = None

    @property
    def user(self) -> str:
        """Return who asked: a name rather than an id, ``-`` for nobody."""
        return self.user_name or self.user_id or "-"

    @property
    def project(self) -> str:
        """Return the project: a name rather than an id, ``-`` for none."""
        return self.project_name or self.project_id or "-"
