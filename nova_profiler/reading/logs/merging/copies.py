# SPDX-License-Identifier: Apache-2.0
"""What several collectors have of one line, dropped from a spool's table."""

from __future__ import annotations

import sqlite3


def drop_copies_by_id(base: sqlite3.Connection) -> None:
    """Drop what several collectors have of one line with an id."""
    base.execute(
        "CREATE INDEX by_request_id ON entries "
        "(request_id, rank, ms, at) WHERE request_id IS NOT NULL"
    )
    # The index alone answers this, which mostly is all there is to do.
    found = base.execute(
        "SELECT 1 FROM entries WHERE request_id IS NOT NULL "
        "GROUP BY request_id, rank, ms HAVING COUNT(*) > 1 LIMIT 1"
    )
    if found.fetchone() is None:
        return
    base.execute(
        """
        INSERT INTO dropped SELECT number, first, 0 FROM (
            SELECT number, MIN(number) OVER (
                PARTITION BY request_id, rank, at, ms, asked, route
            ) AS first FROM entries WHERE request_id IS NOT NULL
        ) WHERE number > first
        """
    )
    # A journal has whole seconds, and no year: what agrees in all but the
    # time is a copy if another source has it. The exact time is kept.
    base.execute(
        """
        INSERT INTO dropped SELECT number, first, 0 FROM (
            SELECT number, FIRST_VALUE(number) OVER (
                PARTITION BY request_id, rank, ms, asked, route, place
                ORDER BY at IS NULL, at = CAST(at AS INTEGER), number
            ) AS first FROM (
                SELECT number, request_id, rank, at, ms, asked, route,
                ROW_NUMBER() OVER (
                    PARTITION BY source, request_id, rank, ms, asked, route
                    ORDER BY at, number
                ) AS place FROM entries WHERE request_id IS NOT NULL
                AND number NOT IN (SELECT number FROM dropped)
            )
        ) WHERE number <> first
        """
    )


def drop_copies_by_text(base: sqlite3.Connection) -> None:
    """Drop what several collectors have of one line without an id.

    As many lines stay as one source alone has.
    """
    base.execute(
        """
        INSERT INTO dropped SELECT number, first, 0 FROM (
            SELECT number, MIN(number) OVER (
                PARTITION BY rank, copy, at, ms, asked, place
            ) AS first FROM (
                SELECT number, rank, copy, at, ms, asked, ROW_NUMBER() OVER
                (PARTITION BY source, rank, copy, at, ms, asked
                 ORDER BY number) AS place
                FROM entries WHERE copy IS NOT NULL
            )
        ) WHERE number > first
        """
    )
