# SPDX-License-Identifier: Apache-2.0
"""haproxy's log: ``... nova_api/ctl-2 0/0/1/312/315 200 18930 - - ---- ...``.

The five times are in milliseconds: reading the request, the queue,
connecting, the service's answer, all of it. -1 is a step that never came. The
four letters are the termination state: what ended the session, in which step.
By default haproxy cuts a line after 1024 bytes, which are in its query then.
"""

from __future__ import annotations

import re

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import (
    CONNECTING,
    NO_ANSWER,
    QUEUE,
    READING,
    SENDING,
    SERVER,
    bytes_of,
    ms_of,
    request_id_in,
    service_of,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.services import service_named_in
from nova_profiler.reading.logs.line_parts.stamps import clf_epoch
from nova_profiler.routes import UNMATCHED

HAPROXY = "haproxy"
MARK = "] "
# In a whole line, and in one that was cut: only GET has long queries.
RAW_MARK = "HTTP/"
CUT_MARK = '"GET /'

_MESSAGE = re.compile(
    r"(?P<address>[^\s\"\[]{1,200}):\d{1,5} "
    r"\[(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}):"
    r"(?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,6})?)\] "
    r"(?P<front>\S{1,200}) (?P<back>\S{1,200})/\S{1,200} "
    r"(?P<times>(?:-?\d{1,10}/){4}\+?\d{1,10}) (?P<status>-1|\d{3}) "
    r"\+?(?P<size>\d+) \S{1,200} \S{1,200} (?P<end>\S{4}) "
    r"[\d/+]{1,80} [\d/]{1,40} (?P<more>(?:\{[^}]*\} ){0,2})"
    r'"(?P<method>[^\s"]{1,40}) (?P<path>[^"]*?)'
    r'(?P<whole>(?: HTTP/\d(?:\.\d)?)?")?(?(whole)|\Z)'
)
_STAMP = re.compile(r":\d{1,5} \[\d\d/[A-Z][a-z]{2}/\d{4}:")
_FAR = 400
_PARTS = (READING, QUEUE, CONNECTING, SERVER)

# haproxy's manual, "Session state at disconnection", in few words.
_CAUSES = {
    "C": "the client went away",
    "S": "the server aborted or refused",
    "P": "haproxy ended it",
    "L": "haproxy answered by itself",
    "R": "haproxy was out of a resource",
    "I": "an internal error of haproxy",
    "D": "the server was marked as down",
    "U": "the server was up again, this was its backup",
    "K": "an administrator ended it",
    "c": "the client's time was over",
    "s": "the server's time was over",
}
_STEPS = {
    "R": "reading the request",
    "Q": "in the queue",
    "C": "connecting",
    "H": "waiting for the answer",
    "D": "sending the answer",
    "L": "sending the last of the answer",
    "T": "holding the client in the tarpit",
}


def entry_of(line: LinePrefix) -> AccessEntry | None:
    """Return the request of *line*, None if the form is another."""
    stamp = _STAMP.search(line.message, 0, _FAR)
    if stamp is None:
        return None
    # A viewer's words, or a program's name, may stand before the address.
    start = line.message.rfind(" ", 0, stamp.start()) + 1
    found = _MESSAGE.match(line.message, start)
    if found is None:
        return None
    *steps, total = found["times"].split("/")
    ms = ms_of(total.lstrip("+"), 1)
    began = clf_epoch(found["date"], found["clock"], local=line.local)
    status = max(0, int(found["status"]))
    return AccessEntry(
        HAPROXY,
        service_named_in(f"{found['back']} {found['front']}")
        or service_of(line),
        None if began is None else began + ms / 1000,
        method_of(found["method"]),
        _route_of(found, status),
        status,
        ms,
        bytes_of(found["size"]),
        request_id_in(found["more"]),
        remote_address=found["address"],
        waits_ms=_waits_of(list(map(int, steps)), ms),
        ended=_ended_by(found["end"]),
    )


def _route_of(found: re.Match[str], status: int) -> str:
    """Return the route; a path that was cut itself may be of any."""
    path = found["path"]
    if found["whole"] is None:
        path, blank, _ = path.partition(" ")
        if not blank and "?" not in path:
            return UNMATCHED
    return route_of_path(path, status)


def _ended_by(state: str) -> str | None:
    """Return the termination *state* in words, None where all went well."""
    cause, step = _CAUSES.get(state[0]), _STEPS.get(state[1])
    if cause is None:
        return None
    # The letters are those that haproxy's own tools count.
    return f"{state[:2]}, {cause}" + (f" while {step}" if step else "")


def _waits_of(steps: list[int], ms: float) -> dict[str, float]:
    """Return where the *ms* went; what never came had the rest."""
    known = {
        name: float(step)
        for name, step in zip(_PARTS, steps, strict=True)
        if step > 0
    }
    rest = ms - sum(known.values())
    if rest > 0:
        known[NO_ANSWER if -1 in steps else SENDING] = rest
    return known
