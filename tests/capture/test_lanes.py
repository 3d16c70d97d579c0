# SPDX-License-Identifier: Apache-2.0
"""What a lane adds up between the calls that it keeps."""

from __future__ import annotations

from threading import get_ident

import pytest
from serving import Message, set_clock

from nova_profiler.capture.captures import Capture


@pytest.mark.parametrize(
    ("in_db_api", "waited"), [(True, (0.0, 3.0)), (False, (3.0, 0.0))]
)
def test_what_neither_ran_nor_was_the_drivers_was_waiting(
    in_db_api, waited, monkeypatch
):
    """Ten seconds: two on the processor, five in the driver."""
    set_clock(monkeypatch, lambda: 2.0, "thread_time")
    lane = Capture(Message(), 1_000).main
    lane.capture.thread = get_ident()
    lane.driver_s = 5.0

    lane.read_cpu(10.0, in_db_api)

    assert (lane.waiting_python_s, lane.waiting_db_api_s) == waited
