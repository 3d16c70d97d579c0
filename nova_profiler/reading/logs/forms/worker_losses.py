# SPDX-License-Identifier: Apache-2.0
"""Calls without a line of their own: their worker was killed.

``HARAKIRI: -- wait event on worker 2 > 10.0.0.9 - GET /v2.1 since 1707127270``
``DAMN ! worker 2 (pid: 32) died, killed by signal 11 :( trying respawn ...``
``[CRITICAL] WORKER TIMEOUT (pid:32)``, ``Worker (pid:32) was sent SIGKILL!``
"""

from __future__ import annotations

import re

HARAKIRI = "call lost: uWSGI's harakiri killed its worker"
TIMEOUT = "call lost: its worker of gunicorn took longer than the timeout"
CRASH = "call lost: its worker crashed"
DEATH = "worker that was killed or died"
LOSSES = (HARAKIRI, TIMEOUT, CRASH)
# The death of such a worker is in a line of its own.
ANNOUNCED = (HARAKIRI, TIMEOUT)

HARAKIRI_MARK = "HARAKIRI"
MARKS = (HARAKIRI_MARK, "(pid:", "Worker with pid ")

_HARAKIRI = re.compile(r"HARAKIRI.{0,200}? - [A-Z]{3,10} \S.* since \d{9,}")
_TIMEOUT = re.compile(r"WORKER TIMEOUT \(pid: ?\d{1,10}\)")
_DEATH = re.compile(
    r"DAMN ! worker \d{1,6} \(pid: \d{1,10}\) died"
    r"(?:, killed by signal (?P<uwsgi>\d{1,3}))?"
    r"|Worker (?:\(pid: ?\d{1,10}\)|with pid \d{1,10}) was "
    r"(?:sent SIG(?P<name>[A-Z]{2,9})"
    r"|terminated due to signal (?P<number>\d{1,3}))"
)
# A worker that waits for a request is not hit by these: code of a call was.
_OF_CODE = frozenset(
    ("4", "6", "7", "8", "11", "ILL", "ABRT", "BUS", "FPE", "SEGV")
)
# How a server ends workers that have nothing left to do.
_IN_ORDER = frozenset(("1", "2", "3", "15", "HUP", "INT", "QUIT", "TERM"))


def loss_of(message: str) -> str | None:
    """Return the kind of loss that *message* is about, None if of none."""
    if HARAKIRI_MARK in message and _HARAKIRI.search(message):
        return HARAKIRI
    if _TIMEOUT.search(message):
        return TIMEOUT
    death = _DEATH.search(message)
    if death is None:
        return None
    signal = death["uwsgi"] or death["name"] or death["number"]
    if signal in _OF_CODE:
        return CRASH
    return None if signal in _IN_ORDER else DEATH
