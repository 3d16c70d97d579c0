# SPDX-License-Identifier: Apache-2.0
"""A thread's clocks, which move by what the calls of a request spend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from serving import Profiled, during, set_clock

from nova_profiler.record import RequestRecord


class Clocks:
    """Time and CPU time, in seconds; called, the first of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cpu = 50.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float, on_cpu: float = 0.0) -> None:
        self.now += seconds
        self.cpu += on_cpu

    def put(self, monkeypatch: Any) -> None:
        """Have the package read these clocks."""
        set_clock(monkeypatch, self)
        set_clock(monkeypatch, lambda: self.cpu, "thread_time")


def record_of(work: Callable[[], Any], **options: Any) -> RequestRecord:
    """Return the record of a request that does *work*, with nothing failed."""
    profiled = Profiled(during(work), **options)
    profiled.get()
    assert profiled.failures.counts() == {}
    return profiled.record
