# SPDX-License-Identifier: Apache-2.0
"""What one request did: the value that capture writes and readers read."""

from nova_profiler.record.request_record import (
    ABORTED,
    FAILED,
    OK,
    SCHEMA,
    UNANSWERED,
    Attach,
    Profiled,
    RecordError,
    RequestRecord,
)
from nova_profiler.record.rows import (
    MOST,
    CallTotals,
    GroupTotals,
    StatementTotals,
    TimelineEntry,
)

__all__ = [
    "MOST",
    "ABORTED",
    "FAILED",
    "OK",
    "SCHEMA",
    "UNANSWERED",
    "Attach",
    "CallTotals",
    "GroupTotals",
    "Profiled",
    "RecordError",
    "RequestRecord",
    "StatementTotals",
    "TimelineEntry",
]
