# SPDX-License-Identifier: Apache-2.0
"""Waits for what another process or thread does."""

from __future__ import annotations

import threading
import time


def until(wanted, seconds=20.0):
    """Return whether *wanted* came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if wanted():
            return True
        threading.Event().wait(0.01)
    return False
