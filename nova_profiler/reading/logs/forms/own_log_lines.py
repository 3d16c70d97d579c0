# SPDX-License-Identifier: Apache-2.0
"""The text that ``log_requests`` puts into the service's own log.

``GET /v2.1/servers/detail 200 3117.4 ms, db_api 15 calls 840.0 ms 26.9 %,
sql 22 calls 188.3 ms, user=demo project=demo``
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import OTHER_KIND, Unusable, ms_of
from nova_profiler.reading.logs.line_parts.contexts import id_and_name
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.record import KINDS

LOG_LINE = "log_requests"
LOGGER = "nova_profiler.requests"

# What stands between path and user. The path may hold anything, and so may
# the names: the last place that fits is the one, found in one pass.
_MIDDLE = re.compile(
    r" (?P<status>\d{1,3}) (?P<time>\S{1,30}) ms"
    r"(?:, db_api (?P<calls>\d{1,9}) calls (?P<db_api>\S{1,30}) ms"
    r"(?: (?P<share>\S{1,30}) %)?)?"
    # Further groups, of which their time is not counted here.
    r"(?:, [a-z_]{1,30} \d{1,9} calls \S{1,30} ms(?: \S{1,30} %)?)*"
    r", user="
)
_PROJECT = " project="
# How the routes of messages and tasks begin; a request has a path there.
_OTHER_KINDS = tuple(f"{kind.word} " for kind in KINDS if kind.word)
_LONGEST_METHOD = 40


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    if line.logger != LOGGER:
        return None
    method, _, rest = line.message.rstrip().partition(" ")
    project_at = rest.rfind(_PROJECT)
    if not 0 < len(method) <= _LONGEST_METHOD or "\n" in rest:
        return None
    if rest.startswith(_OTHER_KINDS):
        raise Unusable(OTHER_KIND)
    found = None
    for match in _MIDDLE.finditer(rest, 0, max(0, project_at)):
        found = match
    if found is None:
        return None
    path = rest[: found.start()]
    user_id, user_name = id_and_name(rest[found.end() : project_at])
    project_id, project_name = id_and_name(
        rest[project_at + len(_PROJECT) :].rstrip()
    )
    context = line.context
    db_api = found["db_api"]
    share = found["share"]
    ms = ms_of(found["time"], 1)
    status = int(found["status"])
    return AccessEntry(
        LOG_LINE,
        line.service or "nova-api",
        line.at,
        method_of(method),
        route_of_path(path, status),
        status,
        ms,
        None,
        context.request_id,
        context.global_request_id,
        context.user_id or user_id,
        context.user_name or user_name,
        context.project_id or project_id,
        context.project_name or project_name,
        None,
        None if db_api is None else ms_of(db_api, 1),
        None if db_api is None else int(found["calls"]),
        # The line has this time as a share of the whole.
        db_api_wall_ms=None if share is None else ms_of(share, ms / 100),
    )
