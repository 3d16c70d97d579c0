# SPDX-License-Identifier: Apache-2.0
"""The dump directory: names, whole files, reading and retention."""

from __future__ import annotations

from nova_profiler.dump_store.names import (
    DumpEntry,
    is_ahead,
    name_of_id,
    name_of_route,
)
from nova_profiler.dump_store.reading import (
    DumpError,
    read_dump,
    read_head,
    record_of_json,
)
from nova_profiler.dump_store.retention import Pruned
from nova_profiler.dump_store.shares import StoredDump
from nova_profiler.dump_store.store import DumpStore, unlisted

__all__ = [
    "DumpEntry",
    "DumpError",
    "DumpStore",
    "Pruned",
    "StoredDump",
    "is_ahead",
    "name_of_id",
    "name_of_route",
    "read_dump",
    "read_head",
    "record_of_json",
    "unlisted",
]
