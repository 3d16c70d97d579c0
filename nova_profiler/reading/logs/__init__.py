# SPDX-License-Identifier: Apache-2.0
"""Reads the requests out of logs: one file a form of line."""

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.requests_once import entries_of
from nova_profiler.reading.logs.unread import ReadError, Unread

__all__ = ["AccessEntry", "ReadError", "Unread", "entries_of"]
