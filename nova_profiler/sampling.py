# SPDX-License-Identifier: Apache-2.0
"""Which records become dumps."""

from __future__ import annotations

from collections.abc import Collection

from nova_profiler.record import FAILED, RequestRecord


def is_kept(
    record: RequestRecord, dump_when: Collection[str], slow_ms: float
) -> bool:
    """Return whether *record* is dumped.

    *dump_when* holds any of slow (from *slow_ms* on), failed, profiled and
    all.
    """
    if "all" in dump_when:
        return True
    return (
        ("slow" in dump_when and record.duration_ms >= slow_ms)
        or ("failed" in dump_when and record.outcome == FAILED)
        or ("profiled" in dump_when and record.profile is not None)
    )
