# SPDX-License-Identifier: Apache-2.0
"""What held the time: the service that a holder waited for, not it alone."""

from __future__ import annotations

import pytest
from builders import record
from builders import written as dumped
from followed import REQUEST, line, written

from nova_profiler.cli import main
from nova_profiler.record import CallTotals, TimelineEntry

PORTS = "network GET /v2.0/ports"
IMAGE = "image GET /v2/images/{id}"


def head(capsys, folder) -> str:
    """Return the line of the page that names what held the time."""
    assert main(["follow", REQUEST, str(folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    return next(line for line in shown if "until the answer held by" in line)


def request(*calls: tuple[str, str, float, float], **fields):
    """Return a record of a second with *calls*: group, name, start, ms."""
    rows = [
        TimelineEntry(group, name, start, ms)
        for group, name, start, ms in calls
    ]
    return record(
        request_id=REQUEST,
        duration_ms=1000.0,
        timeline=rows,
        calls=[
            CallTotals(group, name, 1, ms, ms)
            for group, name, start, ms in calls
        ],
        **fields,
    )


@pytest.mark.parametrize(
    ("calls", "named"),
    [
        ([("http", PORTS, 100.0, 800.0)], "800.0 ms waiting for neutron over"),
        (
            [("http", PORTS, 0.0, 500.0), ("http", IMAGE, 500.0, 100.0)],
            "600.0 ms waiting for neutron and other services over",
        ),
        (
            [("identity", "GET /v3/auth/tokens", 0.0, 900.0)],
            "900.0 ms waiting for keystone over",
        ),
        ([("http", "x", 0.0, 900.0)], "900.0 ms waiting for another service"),
    ],
)
def test_a_record_names_the_service_that_was_waited_for(
    tmp_path, capsys, calls, named
):
    """By its timeline, in the line that names what held the time."""
    dumped(tmp_path, request(*calls))

    assert f"nova-api 1000.0 ms (100.0 %), of it {named}" in head(
        capsys, tmp_path
    )


@pytest.mark.parametrize(
    "calls",
    [
        [("db_api", "instance_get_all", 0.0, 900.0)],
        [("http", PORTS, 0.0, 20.0)],
        [],
    ],
)
def test_a_short_wait_is_no_answer(tmp_path, capsys, calls):
    """Nor is a call of the service's own."""
    dumped(tmp_path, request(*calls))

    assert "waiting for" not in head(capsys, tmp_path)


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        (", http 1 calls 700.0 ms", ", of it 700.0 ms waiting for another "),
        (", http 3 calls 700.0 ms", ", of it 700.0 ms waiting for other "),
        (", http 2 calls 9999.0 ms", ", of it 800.0 ms waiting for other "),
        (", sql 9 calls 700.0 ms", ""),
    ],
)
def test_a_log_line_has_how_long(tmp_path, capsys, groups, named):
    """Without the names of the services, and no more than there was."""
    message = (
        f"GET /v2.1/servers 200 800.0 ms, db_api 2 calls 40.0 ms 5.0 %"
        f"{groups}, user=demo project=demo"
    )
    logs = {
        "nova-api.log": [
            line("10:35:01.000", "begins"),
            line("10:35:01.800", message, logger="nova_profiler.requests"),
        ]
    }
    written(tmp_path, logs)

    shown = head(capsys, tmp_path)

    assert ("waiting for" in shown) == bool(named)
    assert named in shown
