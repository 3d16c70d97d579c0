# SPDX-License-Identifier: Apache-2.0
"""What a test does that needs a service: it fails or skips without it."""

from __future__ import annotations

import os
import socket
import urllib.parse
from typing import NoReturn

import pytest

from nova_profiler.capture.profilers.stacks.self_test import problem_with


def missing(reason: str) -> NoReturn:
    """Fail the test where services are required, skip it elsewhere."""
    if os.environ.get("NOVA_PROFILER_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


# Where RabbitMQ is, for what tries messages over it.
RABBIT = os.environ.get("RABBIT_URL", "rabbit://guest:guest@127.0.0.1:5672/")


def broker_here() -> None:
    """Fail or skip the test where no RabbitMQ answers."""
    address = urllib.parse.urlsplit(RABBIT)
    try:
        place = address.hostname, address.port or 5672
        socket.create_connection(place, 10).close()
    except OSError as exc:
        missing(f"no RabbitMQ at RABBIT_URL: {exc}")


def readable_here() -> None:
    """Fail or skip the test where no reader may look into a process."""
    problem = problem_with()
    if problem is not None:
        missing(problem)
