# SPDX-License-Identifier: Apache-2.0
"""The thread that sends: its end, and what comes after one that failed."""

from __future__ import annotations

from nova_profiler.capture.sinks.otlp import process as module
from nova_profiler.capture.sinks.otlp.collector import DELIVERED, Answer
from nova_profiler.capture.sinks.otlp.process import Process


class Collector:
    """A Collector that takes all."""

    def post(self, path, body, rejected_in) -> Answer:
        return Answer(DELIVERED)

    def close(self) -> None:
        pass


def test_the_end_waits_for_a_thread_that_came_later(monkeypatch):
    """That an earlier one has failed says nothing of this one."""
    started: list = []
    monkeypatch.setattr(module, "start_thread", started.append)
    process = Process(Collector(), ("nova-api", "host"), dict, 1)
    process.start()
    process.send_now()
    counts: dict = {}
    monkeypatch.setattr(process.sender, "_counts", lambda: counts["none"])
    started[0]()
    [(what, error, _)] = process.sender.notes
    assert (what, type(error)) == ("otlp_sending", KeyError)
    assert not process.is_started

    process.start()

    assert len(started) == 2
    assert not process._ended.wait(0)
    process.close(0)
