# SPDX-License-Identifier: Apache-2.0
"""The clocks round the parts of a request."""

from __future__ import annotations

from collections import defaultdict

# Seconds by part since they were last taken; parts do not overlap.
CLOCKS: dict[str, float] = defaultdict(float)


def taken() -> dict[str, float]:
    """Return the clocks and set them back."""
    found = dict(CLOCKS)
    CLOCKS.clear()
    return found
