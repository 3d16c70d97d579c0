# SPDX-License-Identifier: Apache-2.0
"""Which function started a thread that works for a request.

What the thread does belongs below it. Otherwise the stacks of one request
fall apart into as many pieces as it had threads, and no function holds most.
"""

from __future__ import annotations

import sys
from types import FrameType

from nova_profiler import OWN_FOLDER


def spawner() -> FrameType | None:
    """Return the innermost frame here that is not of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(
        OWN_FOLDER
    ):
        frame = frame.f_back
    return frame
