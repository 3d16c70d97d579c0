# SPDX-License-Identifier: Apache-2.0
"""Log lines that wait until the service has set its log up.

Drivers are loaded before that, and by commands that serve nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from nova_profiler.capture.failures import LOG

_MOST = 100


class HeldLines(logging.Handler):
    """Keeps what our logger is given, for later."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record*."""
        if len(self._lines) < _MOST:
            self._lines.append(record)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the lines of the block."""
        before = LOG.propagate
        LOG.addHandler(self)
        LOG.propagate = False
        try:
            yield
        finally:
            LOG.propagate = before
            LOG.removeHandler(self)

    def let_go(self) -> None:
        """Log what was held, once."""
        lines, self._lines = self._lines, []
        for line in lines:
            if LOG.isEnabledFor(line.levelno):
                LOG.handle(line)
