# SPDX-License-Identifier: Apache-2.0
"""Requests that lines of logs have, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.record_words import full_title
from nova_profiler.record import REQUEST
from nova_profiler.web.rows import PART_PLACES, READ, bounded, parts_of
from nova_profiler.web.tables.columns import (
    LARGEST_STATUS,
    STATES,
    Arrays,
    began_ms,
    empty,
    id_bytes,
)
from nova_profiler.web.tables.names import Names


def arrays_of_entries(entries: Sequence[AccessEntry], names: Names) -> Arrays:
    """Return *entries* as arrays of the columns."""
    made = empty(len(entries))
    fields: dict[str, Sequence[Any]] = dict(
        zip(AccessEntry._fields, zip(*entries, strict=True), strict=True)
    )
    made["duration_ms"][:] = fields["ms"]
    ends = np.array([at or 0.0 for at in fields["at"]], np.float64)
    made["epoch_ms"][:] = began_ms(1000 * ends, made["duration_ms"])
    made["status"][:] = [
        min(max(status, 0), LARGEST_STATUS) for status in fields["status"]
    ]
    made["state"][:] = STATES.index(READ)
    made["is_failed"][:] = made["status"] >= 500
    made["request_id"][:] = [
        id_bytes(one or "") for one in fields["request_id"]
    ]
    made["kind"][:] = names.number(REQUEST.name)
    made["title"][:] = names.numbers(
        bounded(full_title(*one))
        for one in zip(fields["method"], fields["route"], strict=True)
    )
    for name in ("user", "project"):
        made[name][:] = names.numbers(
            bounded(shown) or bounded(identity)
            for shown, identity in zip(
                fields[f"{name}_name"], fields[f"{name}_id"], strict=True
            )
        )
    made["service"][:] = names.numbers(map(bounded, fields["service"]))
    _put_parts(made, fields["breakdown_ms"], names)
    return made


def _put_parts(
    made: Arrays, breakdowns: Sequence[dict[str, float] | None], names: Names
) -> None:
    for place, breakdown in enumerate(breakdowns):
        parts = parts_of(breakdown) if breakdown else ()
        for name, ms in parts:
            made["part_ms"][place, PART_PLACES[name]] = ms
        if parts:
            made["part"][place] = names.number(parts[0][0])
