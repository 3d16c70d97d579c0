# SPDX-License-Identifier: Apache-2.0
"""What the floor keeps of a request."""

from __future__ import annotations

import time

clock = time.perf_counter_ns
cpu_clock = time.thread_time_ns


class Record:
    """What one request did, as raw numbers."""

    __slots__ = (
        "app_ns",
        "bytes",
        "calls",
        "cpu_ns",
        "driver_ns",
        "duration_ns",
        "start",
        "started_at",
        "statements",
        "status",
    )

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []
        self.statements: list[tuple[str, int]] = []
        self.driver_ns = 0
        self.status = "000"
        self.bytes = 0
        self.started_at = time.time()
        self.cpu_ns = cpu_clock()
        self.start = clock()
