# SPDX-License-Identifier: Apache-2.0
"""The parts of a request's time: their names and labels."""

from __future__ import annotations

# Their time is the database driver's and its pool's.
DRIVER_BUCKETS = (
    "sql",
    "fetch",
    "transaction",
    "connect",
    "pool_wait",
    "ping",
)

LABELS = {
    "sql": "driver: statements",
    "fetch": "driver: fetching rows",
    "transaction": "driver: COMMIT and ROLLBACK",
    "connect": "driver: connecting",
    "ping": "driver: testing connections",
    "pool_wait": "waiting for a pooled connection",
    "sqlalchemy": "SQLAlchemy and wrapper",
    "timed": "timed_callables",
    "waiting": "waiting, not on the CPU",
    "python": "Python, the rest",
}
