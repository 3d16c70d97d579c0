# SPDX-License-Identifier: Apache-2.0
"""What a test does that needs a service: it fails or skips without it."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from nova_profiler.capture.profilers.stacks.self_test import problem_with


def missing(reason: str) -> NoReturn:
    """Fail the test where services are required, skip it elsewhere."""
    if os.environ.get("NOVA_PROFILER_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


def readable_here() -> None:
    """Fail or skip the test where no reader may look into a process."""
    problem = problem_with()
    if problem is not None:
        missing(problem)
