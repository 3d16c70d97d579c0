# SPDX-License-Identifier: Apache-2.0
"""The time of a request behind the size in an access log, with its unit.

The unit follows from the form and from decimals: nginx's seconds have three,
Apache's ``%D`` has none. One row for each way to write it; what no row
describes is not guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

APACHE = "apache"
NGINX = "nginx"

_S, _MS, _US = 1000.0, 1.0, 0.001
_NUMBER = r"(?P<time>-?\w[\w.+\-]{0,30})"
_TRIES = r"(?P<upstream>[\d.]{1,20}(?:[,:] ?[\d.]{1,20}| ?, ?-){0,20}|-)"

# Each with its separator: a list within a list would be tried in all ways.
_ADDRESSES = r"[\w.:\[\]/\-]{1,100}(?:, [\w.:\[\]/\-]{1,100}){0,20}"
_SIZES = r"[\d\-]{1,15}(?:, [\d\-]{1,15}){0,20}"


class _Shape(NamedTuple):
    form: str
    unit_ms: float
    pattern: re.Pattern[str]
    # A text that is in all such lines: most shapes are ruled out by it.
    mark: str = ""


class FoundTime(NamedTuple):
    """The time as text, its unit, and what the service had of it, in ms."""

    form: str
    text: str
    unit_ms: float
    upstream_ms: float | None


_SHAPES = (
    # kolla's: microseconds directly after the size.
    _Shape(APACHE, _US, re.compile(r' (?P<time>-?\d{1,18}) "')),
    _Shape(NGINX, _S, re.compile(r" (?P<time>\d{1,7}\.\d{1,6})(?: |\Z)")),
    _Shape(APACHE, _US, re.compile(r" " + _NUMBER + r' "')),
    # devstack's: at the end, with its unit.
    _Shape(
        APACHE, _US, re.compile(r".*\s" + _NUMBER + r"\(us\)(?!\S)"), "(us)"
    ),
    # %T/%D, both of one time.
    _Shape(
        APACHE,
        _US,
        re.compile(r'.*[\s"*](?P<whole>\d{1,9})/(?P<time>\d{1,18})[*"]*\s*\Z'),
        "/",
    ),
    # ingress-nginx: length, time, the upstream's name, its tries.
    _Shape(
        NGINX,
        _S,
        re.compile(
            r'.*" \d{1,12} (?P<time>\d{1,7}\.\d{3}) \[[^\]]{0,200}\] '
            r"(?:\[[^\]]{0,200}\] )?"
            + _ADDRESSES
            + " "
            + _SIZES
            + " "
            + _TRIES
        ),
        " [",
    ),
    # A name that has the unit, as guides give it.
    _Shape(
        NGINX,
        _S,
        re.compile(
            r".*?\b(?:rt|request_time|req_time)[=:] ?\"?"
            r"(?P<time>\d{1,7}\.\d{3})\b"
            r"(?:.{0,400}?\b(?:urt|upstream_response_time|upstream_time|ut)"
            r"[=:] ?\"?" + _TRIES + r")?"
        ),
        "t",
    ),
    _Shape(
        APACHE,
        _US,
        re.compile(
            r".*?\b(?:D|duration_us|time_us)[=:] ?\"?(?P<time>\d{1,18})\b"
        ),
        "=",
    ),
    _Shape(
        APACHE,
        _US,
        re.compile(
            r".*\b\w{1,40}[=:] ?\"?(?P<time>\d{1,18}) ?(?:us|usecs?|micros)\b"
        ),
        "us",
    ),
    _Shape(
        APACHE,
        _MS,
        re.compile(
            r".*\b\w{1,40}(?:_ms[=:] ?\"?(?=\d{1,15}\b)|[=:] ?\"?"
            r"(?=\d{1,15} ?(?:ms|msecs?|millis)\b))(?P<time>\d{1,15})"
        ),
        "ms",
    ),
    _Shape(
        APACHE,
        _US,
        re.compile(r".*\s(?P<time>\d{1,18}) ?(?:us|usecs?|micros)\s*\Z"),
        "s",
    ),
    _Shape(
        APACHE,
        _MS,
        re.compile(r".*\s(?P<time>\d{1,15}) ?(?:ms|msecs?|millis)\s*\Z"),
        "s",
    ),
    # Seconds with a point at the end, and perhaps the upstream's.
    _Shape(
        NGINX,
        _S,
        re.compile(
            r'.*["\]] (?P<time>\d{1,7}\.\d{3})(?: ' + _TRIES + r")?"
            r'(?: (?:"[^"]{0,200}"|\.|p|-|[\w\-]{20,80}))?\s*\Z'
        ),
        ".",
    ),
    _Shape(
        NGINX,
        _S,
        re.compile(
            r'.*?" "(?P<time>\d{1,7}\.\d{3})"(?: "' + _TRIES + r'")?\s*\Z'
        ),
        '" "',
    ),
)
# One bare number at the end may be microseconds, milliseconds or seconds.
_OPEN = re.compile(r'.*" "?\d{1,18}"?(?: [\w\-]{30,45})?\s*\Z')
_NO_TRY = re.compile(r"[,: ]+")


def time_in(rest: str) -> FoundTime | None:
    """Return the time in the text behind the size, None if it has none."""
    for shape in _SHAPES:
        if shape.mark and shape.mark not in rest:
            continue
        found = shape.pattern.match(rest)
        if found is None:
            continue
        names = found.groupdict()
        whole = names.get("whole")
        if whole and int(whole) != int(names["time"]) // 1_000_000:
            continue
        return FoundTime(
            shape.form,
            names["time"],
            shape.unit_ms,
            ms_of_tries(names.get("upstream")),
        )
    return None


def has_open_time(rest: str) -> bool:
    """Return whether *rest* ends with a number of which the unit is open."""
    return _OPEN.match(rest) is not None


def ms_of_tries(tries: str | None) -> float | None:
    """Return the milliseconds of all tries of an upstream together."""
    if not tries:
        return None
    try:
        known = [float(one) for one in _NO_TRY.split(tries) if one != "-"]
    except ValueError:
        return None
    return 1000 * sum(known) if known else None
