# SPDX-License-Identifier: Apache-2.0
"""What one request did: the value that capture writes and readers read."""

from nova_profiler.record.request_record import (
    ABORTED,
    DUMPED_ALONE,
    FAILED,
    KILLED,
    OK,
    RUNNING,
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
    OpenCall,
    OpenStack,
    StatementTotals,
    TimelineEntry,
)

__all__ = [
    "MOST",
    "ABORTED",
    "DUMPED_ALONE",
    "FAILED",
    "KILLED",
    "OK",
    "RUNNING",
    "SCHEMA",
    "UNANSWERED",
    "Attach",
    "CallTotals",
    "GroupTotals",
    "OpenCall",
    "OpenStack",
    "Profiled",
    "RecordError",
    "RequestRecord",
    "StatementTotals",
    "TimelineEntry",
]
