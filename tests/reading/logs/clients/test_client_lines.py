# SPDX-License-Identifier: Apache-2.0
"""What tempest and openstack --timing print, in the shapes of all years."""

from __future__ import annotations

import pytest

from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.unread import Unread

ASKED = (
    "Request (ServersTest:setUp): 200 GET https://nova.test/compute/v2.1/"
    "servers/detail 0.250s"
)
LOGGER = "tempest.lib.common.rest_client"


def entry(line: str):
    return entry_of_line(line.encode(), Years(1.8e9), "a.txt", Unread())


@pytest.mark.parametrize(
    "before",
    [
        f"2026-03-04 08:00:01.000 28 INFO {LOGGER} [-] ",
        f"2026-03-04 08:00:01.000 28 INFO {LOGGER} [None] ",
        f"2026-03-04 08:00:01,000 28 INFO     [{LOGGER}] ",
        f"2026-03-04 08:00:09.100 | 2026-03-04 08:00:01,000 28 INFO     "
        f"[{LOGGER}] ",
    ],
)
def test_a_tempest_of_any_year(before):
    """With the logger between brackets as well, and on a job's console."""
    found = entry(before + ASKED)

    assert (found.form, found.service, found.route, found.ms) == (
        "tempest",
        "nova-api",
        "/v2.1/servers/detail",
        250.0,
    )
    assert found.user == "ServersTest:setUp"
    assert found.at is not None


@pytest.mark.parametrize(
    "line",
    [
        "| GET http://10.0.0.1:9696/v2.0/ports   | 0.512 |",
        '"GET http://10.0.0.1:9696/v2.0/ports",0.512',
        "GET http://10.0.0.1:9696/v2.0/ports,0.512",
    ],
)
def test_timings_as_a_table_and_as_csv(line):
    """With -f json or -f value the client prints its times as CSV."""
    found = entry(line)

    assert (found.form, found.service, found.ms) == (
        "openstack --timing",
        "neutron-server",
        512.0,
    )
