# SPDX-License-Identifier: Apache-2.0
"""Messages a second that a conductor answers over RabbitMQ, by turns.

Two servers are up, each with its topic. Clients call one of them as often as
they can, then the other, and the one that comes first changes from pair to
pair: the median of the pairs' ratios counts.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.messages.servers import CONTEXT, message_of, options
from benchmarks.running.figures import Figure
from demo.places import ROOT
from demo.statsd_listener import StatsdListener

URL = os.environ.get("RABBIT_URL", "rabbit://guest:guest@127.0.0.1:5672/")
CLIENTS = 12
MESSAGES = 240
PAIRS = 60
_LEAST = 0.97


class Pair(NamedTuple):
    """Messages a second and CPU time a message, ours over without."""

    throughput: float
    cpu: float


class BrokerError(Exception):
    """There is no broker to measure with."""


def figures_of(pairs: list[Pair]) -> list[Figure]:
    """Return the medians of *pairs*."""
    throughput = statistics.median(pair.throughput for pair in pairs)
    return [
        Figure(
            "a conductor over RabbitMQ, messages a second over without",
            *(throughput, _LEAST, "x"),
            at_least=True,
        )
    ]


def measure(
    pairs: int, messages: int, progress: Callable[[str], None]
) -> Iterator[Pair]:
    """Yield a pair of batches of *messages*, *pairs* times.

    Raises BrokerError where none answers.
    """
    address = urllib.parse.urlsplit(URL)
    try:
        place = address.hostname or "", address.port or 5672
        socket.create_connection(place, 10).close()
    except OSError as exc:
        raise BrokerError(f"no RabbitMQ at RABBIT_URL: {exc}") from exc
    with ExitStack() as stack:
        statsd = stack.enter_context(StatsdListener())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        directory = Path(folder, "dumps")
        directory.mkdir(0o700)
        ours = str(statsd.port), str(directory)
        arms = [
            stack.enter_context(_arm(f"bench-{os.getpid()}-{name}", *options))
            for name, options in (("bare", ()), ("ours", ours))
        ]
        for arm in arms:
            arm.batch(messages)
        for number in range(pairs):
            progress(f"messages over RabbitMQ: pair {number + 1} of {pairs}")
            took = {}
            for arm in arms if number % 2 else arms[::-1]:
                took[arm] = arm.batch(messages)
            bare, with_us = (took[arm] for arm in arms)
            yield Pair(bare[0] / with_us[0], with_us[1] / bare[1])
        assert statsd.datagrams, "no metric was sent"


class _Arm:
    """One server, and clients of it."""

    def __init__(self, child: subprocess.Popen[str], client: Any) -> None:
        self._child = child
        self._client = client

    def batch(self, messages: int) -> tuple[float, float]:
        """Return what *messages* took: seconds, and the server's CPU time."""
        before = self._cpu_s()
        began = time.perf_counter()
        threads = [
            threading.Thread(target=self._call, args=(messages // CLIENTS,))
            for _ in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began, self._cpu_s() - before

    def _call(self, messages: int) -> None:
        message = message_of()
        for _ in range(messages):
            self._client.call(
                dict(CONTEXT), message["method"], **message["args"]
            )

    def _cpu_s(self) -> float:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return float(self._child.stdout.readline())


@contextmanager
def _arm(topic: str, *ours: str) -> Iterator[_Arm]:
    """Start a server of *topic*, and end it."""
    messaging: Any = import_module("oslo_messaging")
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.messages.conductor", URL, topic]
        + list(ours),
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transport = messaging.get_rpc_transport(options(), URL)
    try:
        assert child.stdout is not None
        if child.stdout.readline() != "ready\n":
            raise BrokerError("the server did not start")
        target = messaging.Target(topic=topic, version="1.0")
        yield _Arm(child, messaging.get_rpc_client(transport, target))
    finally:
        child.communicate()
        transport.cleanup()
