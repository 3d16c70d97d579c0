# SPDX-License-Identifier: Apache-2.0
"""Hooks: each file adds the calls of one source to the current lane.

A hook module has a function ``install(...)`` that puts the hook in place
and returns the function that takes it away again. Installing twice is the
same as once; the hook goes when the last of its installers undid it.
"""

from __future__ import annotations

from collections.abc import Callable

from nova_profiler.errors import NovaProfilerError

Undo = Callable[[], None]


class HookError(NovaProfilerError):
    """A hook cannot be installed here; the text has the reason."""
