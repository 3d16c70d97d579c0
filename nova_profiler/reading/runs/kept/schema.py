# SPDX-License-Identifier: Apache-2.0
"""The columns of a kept run: flat, one row a request, with a version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from nova_profiler import groups
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.record.rows import MOST, OTHER, PARTS

# Columns are only added, and then the number goes up: it shows a reader
# whether it knows all columns.
SCHEMA = max(bucket.since for bucket in groups.BUCKETS)
SCHEMA_KEY = b"nova_profiler.schema"

# What a run is damaged by, where a row has another time than is kept.
IMPOSSIBLE_TIME = "a time that cannot be"

# The second from 1970 on that no request was answered in.
LATEST = 2**32
_BOUNDS = {"int32": 2**31, "int64": 2**63}

_ENTRY_COLUMNS = [
    ("form", pa.string()),
    ("service", pa.string()),
    ("at", pa.timestamp("us", tz="UTC")),
    ("method", pa.string()),
    ("route", pa.string()),
    ("status", pa.int32()),
    ("ms", pa.float64()),
    ("response_bytes", pa.int64()),
    ("request_id", pa.string()),
    ("global_request_id", pa.string()),
    ("user_id", pa.string()),
    ("user_name", pa.string()),
    ("project_id", pa.string()),
    ("project_name", pa.string()),
    ("remote_address", pa.string()),
    ("db_api_ms", pa.float64()),
    ("db_api_calls", pa.int64()),
]
COLUMNS = pa.schema(
    _ENTRY_COLUMNS + [(f"{bucket}_ms", pa.float64()) for bucket in PARTS],
    metadata={SCHEMA_KEY: str(SCHEMA).encode()},
)
_NO_BUCKETS: Sequence[None] = (None,) * len(PARTS)


def is_countable(entry: AccessEntry) -> bool:
    """Return whether the time of *entry* can be counted."""
    # A nan fails the comparison, too.
    return 0 <= entry.ms <= MOST


def batches_of(
    entries: Iterable[AccessEntry], rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield *entries* as batches of at most *rows* rows."""
    source = iter(entries)
    while some := list(islice(source, rows)):
        yield pa.RecordBatch.from_arrays(_arrays(some), schema=COLUMNS)


def _arrays(entries: Sequence[AccessEntry]) -> list[pa.Array]:
    columns: dict[str, Sequence[Any]] = dict(
        zip(AccessEntry._fields, zip(*entries, strict=True), strict=True)
    )
    columns["at"] = [_microseconds(at) for at in columns["at"]]
    arrays = [_array(columns[name], kind) for name, kind in _ENTRY_COLUMNS]
    parts = [_buckets(each) for each in columns["breakdown_ms"]]
    return arrays + [
        _array([part[index] for part in parts], pa.float64())
        for index in range(len(PARTS))
    ]


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowException, OverflowError, UnicodeError):
        # A hostile line. Only now is each value checked, which takes time.
        stored = _stored_as(kind)
        return pa.array(
            [None if value is None else stored(value) for value in values],
            type=kind,
        )


def _stored_as(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return the function that makes a value fit into a column."""
    bound = _BOUNDS.get(str(kind))
    if bound is not None:
        return lambda value: value if -bound <= value < bound else None
    if pa.types.is_string(kind):
        return lambda value: value.encode("utf-8", "replace").decode()
    return float


def _microseconds(at: float | None) -> int | None:
    # A nan fails the comparison, too.
    return round(at * 1e6) if at is not None and 0 <= at < LATEST else None


def _buckets(breakdown: dict[str, float] | None) -> Sequence[float | None]:
    if not breakdown:
        return _NO_BUCKETS
    known = [breakdown.get(part) for part in PARTS if part != OTHER]
    others = [
        ms
        for part, ms in breakdown.items()
        if part == OTHER or part not in PARTS
    ]
    return [*known, sum(others) if others else None]
