# SPDX-License-Identifier: Apache-2.0
"""What tests of several profilers need."""

from __future__ import annotations

import os

import pytest

from nova_profiler.capture.profilers.pyspy.permission import (
    PyspyError,
    find_pyspy,
)
from nova_profiler.capture.profilers.pyspy.recording import Recording


@pytest.fixture(scope="session")
def pyspy():
    """Return py-spy's program, if it may look into this process."""
    reason = "py-spy is not installed: pip install nova-profiler[pyspy]"
    program = find_pyspy()
    if program is not None:
        try:
            Recording(program, 10, 1, 10).close()
        except PyspyError as exc:
            reason = str(exc.strerror)
        else:
            return program
    if os.environ.get("NOVA_PROFILER_REQUIRE_SERVICES"):
        pytest.fail(reason)
    return pytest.skip(reason)
