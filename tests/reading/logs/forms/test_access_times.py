# SPDX-License-Identifier: Apache-2.0
"""The time in an access log has the unit that its form states."""

from __future__ import annotations

import pytest

from nova_profiler.reading.logs.forms.access_times import (
    has_open_time,
    time_in,
)

AGENT = ' "-" "agent"'


@pytest.mark.parametrize(
    ("rest", "ms", "upstream_ms"),
    [
        (f"{AGENT} 12345(us)", 12.345, None),
        (f"{AGENT} 12345(us) req-1", 12.345, None),
        (f"{AGENT} 1/1234567", 1234.567, None),
        (f"{AGENT} **1/1234567**", 1234.567, None),
        (f"{AGENT} D=12345 T=0", 12.345, None),
        (f"{AGENT} duration=12345us", 12.345, None),
        (f"{AGENT} time_ms=12345", 12345.0, None),
        (f"{AGENT} took=12345ms id=7", 12345.0, None),
        (f"{AGENT} took 12345 usecs", 12.345, None),
        (f' 12345{AGENT}', 12.345, None),
        (f" 1.234{AGENT}", 1234.0, None),
        (f"{AGENT} 1.234 1.230", 1234.0, 1230.0),
        (f'{AGENT} "1.234" "1.230"', 1234.0, 1230.0),
        (f'{AGENT} "1.234"', 1234.0, None),
        (f'{AGENT} rt=1.234 uct="0.000" urt="1.2, 0.010"', 1234.0, 1210.0),
        (f"{AGENT} 512 1.234 [a-nova-api-1] [] 10.1.1.1:8774 9 1.230 200 x",
         1234.0, 1230.0),
        # ingress-nginx until 0.20 had no alternative upstream.
        (f"{AGENT} 512 1.234 [a-nova-api-1] 10.1.1.1:8774 9 1.230 200",
         1234.0, 1230.0),
    ],
)  # fmt: skip
def test_each_way_to_write_a_time(rest, ms, upstream_ms):
    """By eye, with what the service had of it."""
    found = time_in(rest)

    assert float(found.text) * found.unit_ms == pytest.approx(ms)
    assert found.upstream_ms == (upstream_ms and pytest.approx(upstream_ms))


@pytest.mark.parametrize(
    ("rest", "is_open"),
    [
        (f"{AGENT} 412", True),
        (AGENT, False),
        # No time in seconds and in microseconds: the two would agree.
        (f"{AGENT} 7/12", False),
    ],
)
def test_no_unit_is_guessed(rest, is_open):
    """One bare number may be anything."""
    assert time_in(rest) is None
    assert has_open_time(rest) is is_open
