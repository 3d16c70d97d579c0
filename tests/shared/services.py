# SPDX-License-Identifier: Apache-2.0
"""What a test does that needs a service: it fails or skips without it."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from nova_profiler.capture.profilers.pyspy.permission import (
    PyspyError,
    find_pyspy,
)
from nova_profiler.capture.profilers.pyspy.recording import Recording


def missing(reason: str) -> NoReturn:
    """Fail the test where services are required, skip it elsewhere."""
    if os.environ.get("NOVA_PROFILER_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


def pyspy_program() -> str:
    """Return py-spy's program, which may look into this process."""
    program = find_pyspy()
    if program is None:
        missing("py-spy is not installed: pip install nova-profiler[pyspy]")
    try:
        Recording(program, 10, 1, 10).close()
    except PyspyError as exc:
        missing(str(exc.strerror))
    return program
