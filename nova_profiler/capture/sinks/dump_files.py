# SPDX-License-Identifier: Apache-2.0
"""Sink that keeps the records with a timeline as files of a dump store."""

from __future__ import annotations

from nova_profiler.dump_store import DumpStore
from nova_profiler.errors import with_path
from nova_profiler.record import RequestRecord


class DumpSink:
    """Write each record that has its timeline as one dump."""

    name = "dump"

    def __init__(self, store: DumpStore) -> None:
        self._store = store

    def emit(self, record: RequestRecord) -> None:
        """Write *record*, unless it is not one to keep. May raise OSError."""
        if record.timeline is not None:
            try:
                self._store.write(record)
            except OSError as exc:
                raise with_path(exc, self._store.directory) from exc
