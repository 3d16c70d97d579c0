# SPDX-License-Identifier: Apache-2.0
"""Writes entries to Parquet files as they come, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.runs.kept.run import iso_utc
from nova_profiler.reading.runs.kept.schema import (
    COLUMNS,
    batches_of,
    is_countable,
)

# Rows that become columns at once, rows that an engine can read alone, and
# rows of one file.
_BATCH_ROWS = 16_384
_GROUP_ROWS = 131_072
_PART_ROWS = 8 * _GROUP_ROWS


class Written(NamedTuple):
    """The files of one run, and the figures of their entries."""

    parts: tuple[str, ...]
    requests: int
    uncounted: int
    bytes: int
    first_at: str | None
    last_at: str | None


class PartWriter:
    """Writes the entries of one run into part files of *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[str] = []
        self._requests = 0
        self._uncounted = 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def write(self, entries: Iterable[AccessEntry]) -> Written:
        """Write all of *entries* and return their figures."""
        group: list[pa.RecordBatch] = []
        writer: pq.ParquetWriter | None = None
        in_part = 0
        try:
            for batch in batches_of(self._countable(entries), _BATCH_ROWS):
                group.append(batch)
                in_part += len(batch)
                if sum(map(len, group)) < _GROUP_ROWS:
                    continue
                writer = self._written(writer, group)
                if in_part >= _PART_ROWS:
                    writer.close()
                    writer, in_part = None, 0
            if group:
                writer = self._written(writer, group)
        finally:
            if writer is not None:
                writer.close()
        return self._done()

    def _countable(
        self, entries: Iterable[AccessEntry]
    ) -> Iterable[AccessEntry]:
        for entry in entries:
            if is_countable(entry):
                yield entry
            else:
                self._uncounted += 1

    def _written(
        self, writer: pq.ParquetWriter | None, group: list[pa.RecordBatch]
    ) -> pq.ParquetWriter:
        table = pa.Table.from_batches(group)
        group.clear()
        if writer is None:
            part = f"part-{len(self._parts):05d}.parquet"
            self._parts.append(part)
            writer = pq.ParquetWriter(
                self._folder / part, COLUMNS, compression="zstd"
            )
        writer.write_table(table, row_group_size=_GROUP_ROWS)
        self._requests += len(table)
        self._widen(table)
        return writer

    def _widen(self, table: pa.Table) -> None:
        ends = pc.min_max(table["at"]).as_py()
        if ends["min"] is not None:
            self._first = min(self._first or ends["min"], ends["min"])
            self._last = max(self._last or ends["max"], ends["max"])

    def _done(self) -> Written:
        paths = [self._folder / part for part in self._parts]
        for path in paths:
            _to_disk(path)
        return Written(
            parts=tuple(self._parts),
            requests=self._requests,
            uncounted=self._uncounted,
            bytes=sum(path.stat().st_size for path in paths),
            first_at=iso_utc(self._first) if self._first else None,
            last_at=iso_utc(self._last) if self._last else None,
        )


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
