# SPDX-License-Identifier: Apache-2.0
"""A fault at any instruction of ours changes no reply to a message."""

from __future__ import annotations

import logging
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from incoming import Server, Waited
from injection import faults_of, places_of
from serving import Profiled

from nova_profiler.capture import lanes
from nova_profiler.capture.failures import Failures
from nova_profiler.capture.hooks.rpc.senders import KEY
from nova_profiler.capture.served.kinds.messages import served_messages
from nova_profiler.capture.sinks.statsd_sink import StatsdSink

# The package's own code is the same on all of them.
pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from 3.12 on tracing misses instructions",
)

# Of so many places one is tried, unless all are.
SOME = 3
ALL = os.environ.get("NOVA_PROFILER_INJECTION") == "all"
CONTEXT = {
    "request_id": "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa",
    "user_id": "u" * 32,
    "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    KEY: {"id": "0123456789abcdef", "sent": 1.0, "kept": True},
}


class Messages:
    """A server of messages that one worker times, served over and over."""

    def __init__(self, method: str, **options: Any) -> None:
        self._method = method
        news = Failures().take_new
        sink = StatsdSink(lambda data: None, "nova", "nova", "none", news)
        self._times = sink._added._times
        self.profiled = Profiled(None, sink, **options)
        self.undo = served_messages.install(self.profiled.worker)
        self.server = Server(work=lambda: 42)
        self.latest: Any = None

    def plain(self) -> dict[str, Any]:
        """Return what comes without us."""
        self.undo()
        try:
            return self._served()
        finally:
            self.undo = served_messages.install(self.profiled.worker)

    def once(self) -> None:
        """Serve one message."""
        # Each one sends what was added up.
        self._times._send_at = 0.0
        found = self._served()
        found["seen"].append(("kept", False))
        self.latest = SimpleNamespace(facts=lambda: found)

    def _served(self) -> dict[str, Any]:
        more = {"stopwatch": Waited(0.5)}
        incoming = self.server.serve(self._method, CONTEXT, **more)
        return {
            "replies": incoming.replies,
            "failures": [one.__name__ for one in incoming.failures],
            "seen": [],
        }

    def record(self) -> dict[str, Any]:
        """Return what the newest record has, but for its times."""
        (record,) = self.profiled.records
        self.profiled.records.clear()
        names = ("route", "outcome", "error", "parent_id", "wait_ms")
        return {name: getattr(record, name) for name in names}

    def close(self) -> None:
        self.undo()
        self.server.bus.stop()


@pytest.fixture
def quiet(caplog, monkeypatch):
    """Leave oslo.messaging's own lines out, and what long messages have.

    Tracing makes them long.
    """
    caplog.set_level(logging.CRITICAL, logger="oslo_messaging")
    monkeypatch.setattr(lanes, "LONG_S", float("inf"))


@pytest.mark.parametrize("method", ["ping", "missing", "broken", "unknown"])
def test_a_fault_changes_no_reply(method, quiet):
    """However the method ends; it is called once."""
    served = Messages(method, log_requests=("message:all",))
    try:
        found = places_of(served)  # type: ignore[arg-type]
        places = found[:: 1 if ALL else SOME]
        lines = list(faults_of(served, places))  # type: ignore[arg-type]
    finally:
        served.close()

    shown = "\n".join(lines[:100])
    assert places and not lines, f"{len(lines)} of {len(places)}\n{shown}"
