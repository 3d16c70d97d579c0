# SPDX-License-Identifier: Apache-2.0
"""Which lines are about a call that has no line, and which are not."""

from __future__ import annotations

import json

import pytest

from nova_profiler.cli import main
from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.forms.worker_losses import (
    CRASH,
    DEATH,
    HARAKIRI,
    TIMEOUT,
    loss_of,
)
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.other_lines import OF_ERROR, OTHER
from nova_profiler.reading.logs.unread import Unread

DIED = "DAMN ! worker 2 (pid: 32) died"
HELD = (
    "HARAKIRI: -- wait event on worker 2 > 192.0.2.7 - GET /v2.1/servers "
    "since 1772611210"
)
AT = "[2026-03-04 08:00:00 +0000] [7]"
CALL = (
    "[pid: 4|app: 0|req: 1/2] 192.0.2.7 () {42 vars in 8 bytes} [Wed Mar  4 "
    "08:00:01 2026] GET /v2.1/flavors => generated 5 bytes in 4 msecs "
    "(HTTP/1.1 200) 9 headers in 3 bytes (1 switches on core 0)"
)


@pytest.mark.parametrize(
    ("message", "loss"),
    [
        (HELD, HARAKIRI),
        ("*** HARAKIRI ON WORKER 2 (pid: 32, try: 1) ***", OTHER),
        (f"{DIED}, killed by signal 11 :( trying respawn ...", CRASH),
        (f"{DIED}, killed by signal 6 :( trying respawn ...", CRASH),
        (f"{DIED}, killed by signal 9 :( trying respawn ...", DEATH),
        (f"{DIED} :( trying respawn ...", DEATH),
        (f"{DIED}, killed by signal 15 :( trying respawn ...", OTHER),
        (f"{AT} [CRITICAL] WORKER TIMEOUT (pid:32)", TIMEOUT),
        (f"{AT} [ERROR] Worker (pid:32) was sent SIGKILL! Perhaps out of "
         "memory?", DEATH),
        (f"{AT} [ERROR] Worker (pid:32) was sent SIGSEGV!", CRASH),
        (f"{AT} [WARNING] Worker with pid 32 was terminated due to signal 9",
         DEATH),
        (f"{AT} [WARNING] Worker with pid 32 was terminated due to signal 15",
         OTHER),
        (f"{AT} [ERROR] Worker (pid:32) was sent SIGTERM!", OTHER),
        ("2026-03-04 08:00:00.000 7 ERROR nova.x [-] WORKER TIMEOUT, he said",
         OF_ERROR),
    ],
)  # fmt: skip
def test_a_line_about_a_worker(message, loss):
    """What the signal tells: a worker that waits is hit by no SIGSEGV."""
    unread = Unread()

    entry_of_line(message.encode(), Years(1.8e9), "uwsgi.log", unread)

    assert [row.kind for row in unread] == [loss]
    assert loss_of(message) == (
        loss if loss not in (OTHER, OF_ERROR) else None
    )


@pytest.mark.parametrize(
    ("lines", "lost", "deaths", "words"),
    [
        ([HELD, f"{DIED}, killed by signal 9 :("], 1, 0, "1 more call ended"),
        ([f"{AT} [CRITICAL] WORKER TIMEOUT (pid:32)",
          f"{AT} [ERROR] Worker (pid:32) was sent SIGKILL!"], 1, 0,
         "1 more call ended"),
        ([f"{DIED}, killed by signal 11 :("], 1, 0, "1 more call ended"),
        ([f"{DIED}, killed by signal 9 :("], 0, 1,
         "1 worker died for a reason that no line has; a call may be lost"),
        ([HELD, *[f"{DIED}, killed by signal 9 :("] * 3], 1, 2,
         "2 workers died for a reason that no line has"),
    ],
)  # fmt: skip
def test_calls_lost_are_told_from_workers_that_died(
    tmp_path, capsys, lines, lost, deaths, words
):
    """A worker killed for a call that is told is not counted again."""
    log = tmp_path / "nova-api.log"
    log.write_text("\n".join([CALL, *lines, ""]))

    assert main(["report", str(log), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["report", str(log)]) == 0

    assert (found["lost"], found["deaths"]) == (lost, deaths)
    assert words in capsys.readouterr().out
