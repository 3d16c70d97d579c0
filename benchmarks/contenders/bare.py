# SPDX-License-Identifier: Apache-2.0
"""The application with nothing around it."""

from __future__ import annotations

from benchmarks.contenders import Installed, Place, Seen


def nothing(place: Place) -> Installed:
    """Return the application itself."""
    return Installed(place.app, Seen)
