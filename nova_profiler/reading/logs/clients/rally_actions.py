# SPDX-License-Identifier: Apache-2.0
"""``rally "nova.boot_server" 6.250000 s``: an action of a result of rally.

``files/rally_results`` makes these lines of rally's JSON.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import NO_TIME, Unusable, ms_of
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_of_logger,
)

RALLY = "rally"
MARK = 'rally "'
# Instead of a method: an action is no request.
ACTION = "rally"
# rally has no status; compare leaves failed calls out.
_FAILED = 500

_MESSAGE = re.compile(
    r'rally "(?P<name>[\w.\- ]{1,200})" (?P<time>\d{1,9}\.\d{6}|-) s'
    r"(?P<failed> failed)?\Z"
)
_VERSION = re.compile(r"_v\d+\Z")


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the action of *line*, None if the form is another."""
    found = _MESSAGE.match(line.message)
    if found is None:
        return None
    if found["time"] == "-":
        raise Unusable(NO_TIME)
    name = found["name"]
    project = _VERSION.sub("", name.partition(".")[0])
    return AccessEntry(
        RALLY,
        service_of_logger(project) or UNKNOWN,
        line.at,
        ACTION,
        name,
        _FAILED if found["failed"] else 0,
        ms_of(found["time"], 1000),
    )
