# SPDX-License-Identifier: Apache-2.0
"""Kept runs of a history as columns, read straight from their Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nova_profiler.reading.record_words import full_title
from nova_profiler.reading.runs.kept.engines import first_line
from nova_profiler.reading.runs.kept.run import (
    HistoryError,
    Run,
    folder_of,
    name_of_folder,
    read_run,
)
from nova_profiler.reading.runs.kept.schema import (
    COLUMNS,
    IMPOSSIBLE_TIME,
)
from nova_profiler.record import REQUEST
from nova_profiler.record.rows import MOST, PARTS
from nova_profiler.web.rows import PART_PLACES, READ, bounded
from nova_profiler.web.tables.columns import (
    LARGEST_STATUS,
    STATES,
    Array,
    Arrays,
    are_times,
    began_ms,
    empty,
    id_bytes,
)
from nova_profiler.web.tables.names import Names

_AT_ONCE = 131_072
# Read as numbers of few texts, as the file has them.
_TEXTS = (
    "service",
    "method",
    "route",
    "user_id",
    "user_name",
    "project_id",
    "project_name",
)
_PARTS = {f"{bucket}_ms": bucket for bucket in PARTS}
_WANTED = ("at", "ms", "status", "request_id", *_TEXTS, *_PARTS)


def runs_in(directory: Path, problems: list[str]) -> list[Run]:
    """Return the runs, oldest first; *problems* gets a line about others.

    Nothing is changed: what a dead process left there stays.
    """
    found = []
    try:
        folders = sorted(directory.iterdir())
    except OSError as exc:
        problems.append(f"{directory}: {exc.strerror}")
        return []
    for folder in folders:
        name = name_of_folder(folder)
        if name is None:
            continue
        try:
            found.append(read_run(folder_of(directory, name)))
        except HistoryError as exc:
            problems.append(str(exc))
    return sorted(found, key=lambda run: run.sort_key)


def arrays_of_run(
    directory: Path, run: Run, names: Names, most: int
) -> Iterator[Arrays]:
    """Yield the requests of *run* as arrays of the columns.

    Raises HistoryError for a run that is damaged, or has more than *most*.
    """
    done = 0
    try:
        for part in run.parts:
            with pq.ParquetFile(
                folder_of(directory, run.name) / part,
                read_dictionary=list(_TEXTS),
            ) as file:
                there = set(file.schema_arrow.names)
                wanted = [name for name in _WANTED if name in there]
                for batch in file.iter_batches(_AT_ONCE, columns=wanted):
                    done += len(batch)
                    if done > most:
                        raise HistoryError("it has more than its manifest")
                    yield _arrays_of(batch, names)
    except Exception as exc:
        # Damage has many forms, and so have the errors of Arrow.
        raise HistoryError(
            f"run {run.name}: is damaged: {first_line(exc)}"
        ) from exc


def _arrays_of(batch: pa.RecordBatch, names: Names) -> Arrays:
    made = empty(len(batch))
    took = _numbers(batch, "ms")
    if batch.column("ms").null_count or not are_times(took):
        raise HistoryError(IMPOSSIBLE_TIME)
    made["duration_ms"][:] = took
    ends = batch.column("at").cast(pa.timestamp("us", tz="UTC"))
    ends_us = pc.fill_null(ends.cast(pa.int64()), 0).to_numpy()
    made["epoch_ms"][:] = began_ms(ends_us / 1000, took)
    made["status"][:] = np.clip(_numbers(batch, "status"), 0, LARGEST_STATUS)
    made["is_failed"][:] = made["status"] >= 500
    made["state"][:] = STATES.index(READ)
    made["kind"][:] = names.number(REQUEST.name)
    made["request_id"][:] = [
        id_bytes(one or "") for one in batch.column("request_id").to_pylist()
    ]
    made["service"][:] = _texts(batch, "service", names)
    for name in ("user", "project"):
        shown = _texts(batch, f"{name}_name", names)
        identity = _texts(batch, f"{name}_id", names)
        made[name][:] = np.where(shown, shown, identity)
    made["title"][:] = _titles(
        _texts(batch, "method", names), _texts(batch, "route", names), names
    )
    _put_parts(made, batch, names)
    return made


def _numbers(batch: pa.RecordBatch, name: str) -> Array:
    kind = COLUMNS.field(name).type
    column = pc.fill_null(batch.column(name).cast(kind), 0)
    found: Array = column.to_numpy(zero_copy_only=False)
    return found


def _texts(batch: pa.RecordBatch, name: str, names: Names) -> Array:
    """Return the numbers of a column's texts; none is the empty one."""
    column = batch.column(name)
    texts = column.dictionary.cast(pa.string()).to_pylist()
    # The last one is for rows without a text.
    numbers = np.array([*names.numbers(map(bounded, texts)), 0], np.int32)
    places = pc.fill_null(column.indices.cast(pa.int32()), len(texts))
    found: Array = numbers[places.to_numpy(zero_copy_only=False)]
    return found


def _titles(methods: Array, routes: Array, names: Names) -> Array:
    pairs = methods.astype(np.int64) << 32 | routes
    found, places = np.unique(pairs, return_inverse=True)
    titles = [
        names.number(
            bounded(
                full_title(
                    names.texts[pair >> 32], names.texts[pair & 0xFFFFFFFF]
                )
            )
        )
        for pair in found.tolist()
    ]
    numbers: Array = np.array(titles, np.int32)[places]
    return numbers


def _put_parts(made: Arrays, batch: pa.RecordBatch, names: Names) -> None:
    """Put the parts of each row, and which is the largest."""
    there = [
        name
        for name in _PARTS
        if name in batch.schema.names
        and batch.column(name).null_count < len(batch)
    ]
    if not there:
        return
    values = np.column_stack([_numbers(batch, name) for name in there])
    values[~((values > 0) & (values <= MOST))] = 0
    parts = [_PARTS[name] for name in there]
    made["part_ms"][:, [PART_PLACES[part] for part in parts]] = values
    numbers = np.array(names.numbers(parts), np.int32)
    largest = numbers[np.argmax(values, axis=1)]
    made["part"][:] = np.where(values.any(axis=1), largest, 0)
