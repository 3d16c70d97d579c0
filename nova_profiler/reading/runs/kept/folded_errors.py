# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a kept run, in the user's words."""

from __future__ import annotations

from nova_profiler.errors import NovaProfilerError


class HistoryError(NovaProfilerError):
    """A run or its history cannot be used; the message says what to do."""
