# SPDX-License-Identifier: Apache-2.0
"""No line takes more time than its length has a right to."""

from __future__ import annotations

import json
import random
import time

import pytest

from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.quick_lines import quick_rows

YEARS = Years(1.8e9)
ID = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
STAMP = "2026-11-21 10:35:01.123"
PREFIX = f"{STAMP} 1 INFO nova.osapi_compute.wsgi.server [{ID} u p - - -] "
WSGI = '10.0.0.1 "GET /v2.1/servers HTTP/1.1" status: 200 len: 1 time: 0.2'
FORMS = {
    "log_requests": f"{STAMP} 1 INFO nova_profiler.requests [{ID} u p - - -] "
    "GET /v2.1/servers 200 3.4 ms, db_api 15 calls 840.0 ms 26.9 %, "
    "sql 22 calls 188.3 ms, user=demo project=demo",
    "wsgi.server": PREFIX + WSGI,
    "requestlog": PREFIX + WSGI.replace(" time", " microversion: 2.1 time"),
    "eventlet": PREFIX + "10.0.0.1 - - [13/Dec/2014 17:12:23] "
    '"POST /v1/images HTTP/1.1" 400 396 31.553426',
    "uwsgi": "[pid: 15083|app: 0|req: 77/156] 10.0.0.1 () {60 vars in 1234 "
    "bytes} [Sat Nov 21 10:35:01 2026] GET /v2.1/servers => generated 389 "
    "bytes in 17 msecs (HTTP/1.1 200) 9 headers in 358 bytes",
    "apache": "10.0.0.1 - - [21/Nov/2026:10:35:01 +0000] "
    '"GET /v3/users HTTP/1.1" 200 123 "-" "agent" 12345(us)',
    "kolla": "10.0.0.1 - - [21/Nov/2026:10:35:01 +0000] "
    '"GET /v3/users HTTP/1.1" 200 123 12345 "-" "agent"',
    "syslog": "Sep 05 09:02:05 host devstack@n-api.service[15067]: INFO "
    f"nova.api.openstack.requestlog [None {ID} demo demo] {WSGI}",
    "RFC 5424": "<134>1 2026-11-21T10:35:01.123Z host nova-api 1 - "
    f'[a b="c"] {PREFIX}{WSGI}',
    "journald": json.dumps(
        {
            "MESSAGE": PREFIX + WSGI,
            "__REALTIME_TIMESTAMP": "1795257301000000",
            "_SYSTEMD_UNIT": "devstack@n-api.service",
            "_HOSTNAME": "host",
        }
    ),
    "oslo JSON": json.dumps(
        {
            "message": WSGI,
            "name": "nova.osapi_compute.wsgi.server",
            "created": 1.5,
            "time": STAMP,
            "context": {"request_id": ID, "user": "u", "project": "p"},
        }
    ),
}
# Pieces of lines, which repeated make a text that fits almost.
UNITS = (
    ' |a|[|]|(|{|}|"|\'|\\|\\"|0|9.|/|-|:|.|,|\t|%|=|_|@|é|\u2028|\x1b[|'
    '[00;3|\x1b[0;| status: |" status: 200 len: | - - [| => generated |'
    " => generated 1 bytes in 1 msecs | project=| project= | user=|, user=|"
    " 200 3.4 ms|, db_api 1 calls 1 ms|, a 1 calls 1 ms 1 %|/servers/|a/1/|"
    '{"|<1>|2026-11-21 |2026-11-21 10:35:01 |Sep 05 09:02:05 h u: |INFO a |'
    'req-| 1(us)| HTTP/1.1|] "|[a b="c"]|a. |[ |-20260101|.gz|[[]'
).split("|") + ["|"]
LENGTH = 32_000
TRIED = 600


def seconds(line: bytes) -> float:
    """Return the processor time that both readers take for *line*."""
    began = time.process_time()
    entry_of_line(line, YEARS, "nova-api.log", Unread())
    quick_rows(line + b"\n")
    return time.process_time() - began


def is_linear(line, longer) -> bool:
    """Tell whether twice the length takes at most about twice the time.

    A line that takes so long for its length must be tried again: another
    process may have been in the way.
    """
    if seconds(line) < 0.03:
        return True
    once = min(seconds(line) for _ in range(3))
    twice = min(seconds(longer) for _ in range(3))
    return once < 0.03 or twice < 3 * once


def lines_of(form):
    """Yield lines of *form* with many of a unit, and with twice as many.

    A part of all that there are, always the same.
    """
    text = FORMS[form]
    places = [0, len(text)] + [
        place
        for place in range(1, len(text))
        if not (text[place - 1].isalnum() and text[place].isalnum())
    ]
    every = [(place, unit) for place in places for unit in UNITS]
    for place, unit in random.Random(form).sample(every, TRIED):
        yield tuple(
            (text[:place] + unit * (n // len(unit)) + text[place:]).encode()
            for n in (LENGTH, 2 * LENGTH)
        )


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_long_line_of_any_form_takes_linear_time(form):
    """Whatever is repeated in it, and wherever."""
    slow = [
        line for line, longer in lines_of(form) if not is_linear(line, longer)
    ]

    assert slow == []


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "p", ""),
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "p", "] x"),
        (f"{STAMP} 1 INFO nova.api [{ID} ", "u ", ""),
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "]", ""),
        (FORMS["log_requests"], " ", "x"),
        (FORMS["uwsgi"][:120], " => generated 1 bytes in 1 msecs ", ""),
        ('{"MESSAGE": "x", "_SYSTEMD_UNIT": "', "@", ' "}'),
        ('{"MESSAGE": "x", "_SYSTEMD_UNIT": "', "-20260101", '!"}'),
    ],
)
def test_lines_that_took_seconds(before, unit, after):
    """Expressions that tried each place with all that follows it."""
    line, longer = (
        (before + unit * (n // len(unit)) + after).encode()
        for n in (LENGTH, 2 * LENGTH)
    )

    assert is_linear(line, longer)
