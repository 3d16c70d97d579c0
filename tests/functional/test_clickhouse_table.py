# SPDX-License-Identifier: Apache-2.0
"""A real ClickHouse, as the library chdb, takes records into our table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import ROOT
from services import missing

from benchmarks.shipping import clickhouse
from benchmarks.shipping.records import write_records

pytestmark = pytest.mark.functional

RECORDS = 2_000


def test_all_records_are_in_the_table_with_the_same_sums(
    tmp_path: Path,
) -> None:
    """Rows of calls, values by group, times; and the manual's query runs."""
    if not clickhouse.is_here():
        missing("chdb is not installed: make functional installs it")
    log_file = tmp_path / "profiler.jsonl"
    sent = write_records(log_file, RECORDS)

    page = (ROOT / "doc" / "source" / "log_shippers.rst").read_text()
    (query,) = re.findall(r"   SELECT .*?LIMIT 10\n", page, re.DOTALL)

    came, facts = clickhouse.stored(log_file, tmp_path / "table", query)

    assert came == sent
    assert sent.records == RECORDS
    assert facts["sort_key"] == "service, route, method, started_at"
    assert facts["first"] < facts["last"]
    assert len(facts["answer"]) == 10
    # One in three requests is one for details; 64-bit integers are texts.
    first = [row for row in facts["answer"] if row[0] == "function_0"]
    assert int(first[0][1]) == sum(
        1 + number % 7 for number in range(1, RECORDS, 3)
    )
