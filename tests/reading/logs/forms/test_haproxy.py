# SPDX-License-Identifier: Apache-2.0
"""haproxy's lines, those that were cut as well."""

from __future__ import annotations

import pytest

from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.unread import Unread

PORTS = "&".join(
    f"device_id=5f0c7a10-aaaa-4bbb-8ccc-{number:012d}" for number in range(99)
)
BEFORE = (
    "Mar  4 08:00:59 ctl haproxy[9]: 192.0.2.7:4822 "
    "[04/Mar/2026:08:00:00.000] neutron_front neutron_back/ctl-1 "
    "1/500/2/700/1204 200 900 - - ---- 1/1/1/1/0 0/0 "
)


def entry(line: str):
    return entry_of_line(line.encode(), Years(1.8e9), "a.log", Unread())


@pytest.mark.parametrize(
    ("request_", "route"),
    [
        (f'"GET /v2.0/ports?{PORTS} HTTP/1.1"', "/v2.0/ports"),
        # haproxy writes 1024 bytes, unless it is configured otherwise.
        (f'"GET /v2.0/ports?{PORTS}'[: 1024 - len(BEFORE)], "/v2.0/ports"),
        ('"GET /v2.0/ports?device_id=5', "/v2.0/ports"),
        ('"GET /v2.0/ports HTT', "/v2.0/ports"),
        ('"GET /v2.0/por', "unmatched"),
    ],
)
def test_a_line_that_was_cut_has_its_times(request_, route):
    """And its route, unless the path itself was cut."""
    found = entry(BEFORE + request_)

    assert (found.form, found.service, found.route, found.ms) == (
        "haproxy",
        "neutron-server",
        route,
        1204.0,
    )
    assert found.waits_ms["queue"] == 500.0
