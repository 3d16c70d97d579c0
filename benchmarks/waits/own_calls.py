# SPDX-License-Identifier: Apache-2.0
"""Programs, privileged functions and messages that take a known time."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple

from oslo_config import cfg

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import active, lane_var
from nova_profiler.capture.lanes import Lane
from nova_profiler.groups import PROCESS, RPC

SLEEP_S = 0.2
# Later releases of oslo.messaging read these from the options they get.
_OPTIONS = (
    ("oslo_messaging._tracing.client", "oslo_messaging_tracing"),
    ("oslo_messaging._metrics.client", "oslo_messaging_metrics"),
)


class Ratio(NamedTuple):
    """What a call took in the record, over what it took by itself."""

    label: str
    ratio: float


def measure(calls: int, progress: Callable[[str], None]) -> Iterator[Ratio]:
    """Yield the median of each kind of call."""
    for label, group, make in (
        ("processutils", PROCESS.name, _program),
        ("privsep", PROCESS.name, _privileged),
        ("RPC", RPC.name, _answered),
    ):
        progress(label)
        with make() as (call, times), _request() as lane:
            for _ in range(calls):
                call()
            spans = [
                end - start
                for key, kept in lane.calls.items()
                if key.group == group
                for start, end, _ in kept.kept()
            ]
        taken = times or [SLEEP_S] * calls
        yield Ratio(
            label,
            statistics.median(
                span / own for span, own in zip(spans, taken, strict=True)
            ),
        )


def slept(times: list[float]) -> None:
    """Sleep, and add what that took by this side's clock to *times*."""
    start = time.perf_counter()
    time.sleep(SLEEP_S)
    times.append(time.perf_counter() - start)


_Made = Iterator[tuple[Callable[[], object], list[float]]]


@contextmanager
def _program() -> _Made:
    """Run ``sleep 0.2``, each time once more without the hook.

    processutils itself takes some milliseconds for it.
    """
    processutils: Any = import_module("oslo_concurrency.processutils")
    command = "sleep", str(SLEEP_S)
    bare = processutils.execute
    times: list[float] = []

    def execute() -> None:
        processutils.execute(*command)
        start = time.perf_counter()
        bare(*command)
        times.append(time.perf_counter() - start)

    with _hooked("processes.child_processes"):
        yield execute, times


@contextmanager
def _privileged() -> _Made:
    """Call a function that sleeps in a daemon."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        privileged = import_module("benchmarks.waits.privileged")
    fork = import_module("oslo_privsep.priv_context").Method.FORK
    with _hooked("processes.child_processes"):
        privileged.context.start(fork)
        try:
            yield lambda: privileged.sleeps(SLEEP_S), []
        finally:
            privileged.context.stop()


@contextmanager
def _answered() -> _Made:
    """Call a server that answers late."""
    messaging: Any = import_module("oslo_messaging")
    times: list[float] = []

    class Endpoint:
        target = messaging.Target(version="1.0")

        def wait(self, ctxt: object) -> None:
            slept(times)

    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    for module, group in _OPTIONS:
        with suppress(ImportError):
            options = getattr(import_module(module), group, ())
            conf.register_opts(options, group=group)
    transport = messaging.get_rpc_transport(conf, "fake://")
    target = messaging.Target(topic="conductor", server="here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = messaging.get_rpc_server(
            transport, target, [Endpoint()], executor="threading"
        )
    server.start()
    client = messaging.get_rpc_client(
        transport, messaging.Target(topic="conductor", version="1.0")
    )
    try:
        with _hooked("rpc.sent_messages"):
            yield lambda: client.call({}, "wait"), times
    finally:
        server.stop()
        server.wait()


@contextmanager
def _hooked(module: str) -> Iterator[None]:
    undo = import_module(f"nova_profiler.capture.hooks.{module}").install()
    try:
        yield
    finally:
        undo()


@contextmanager
def _request() -> Iterator[Lane]:
    """Be in a request; gives its lane."""
    capture = Capture(NothingServed(), 2_000, has_cpu_clock=True)
    active[id(capture)] = capture
    token = lane_var.set(capture.main)
    try:
        yield capture.main
    finally:
        lane_var.reset(token)
        active.pop(id(capture))
        capture.close()
