# SPDX-License-Identifier: Apache-2.0
"""Reads the requests out of logs: one file a form of line."""

from nova_profiler.access_logs.entries import AccessEntry
from nova_profiler.access_logs.parts import ReadError
from nova_profiler.access_logs.reading import entries_of
from nova_profiler.access_logs.unread import Unread

__all__ = ["AccessEntry", "ReadError", "Unread", "entries_of"]
