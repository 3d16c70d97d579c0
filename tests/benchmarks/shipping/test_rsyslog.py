# SPDX-License-Identifier: Apache-2.0
"""A real rsyslogd with our configuration loses nothing."""

from __future__ import annotations

import pytest
from services import missing

from benchmarks.shipping import rsyslog
from benchmarks.shipping.records import write_records

pytestmark = pytest.mark.services

# Some are longer than the 8 KiB that rsyslog takes by itself.
RECORDS = 2_000
# More than wait in memory.
MANY = 12_000


@pytest.fixture(autouse=True)
def _installed():
    if rsyslog.program() is None:
        missing("rsyslogd is not installed: apt install rsyslog")


def test_all_records_arrive_with_the_same_sums(tmp_path):
    """Long ones whole, and those with other letters as they were."""
    log_file = tmp_path / "profiler.jsonl"
    sent = write_records(log_file, RECORDS)
    assert max(map(len, log_file.read_text().splitlines())) > 8192

    came, _ = rsyslog.shipped(log_file, RECORDS, most_s=60)

    assert came == sent
    assert sent.records == RECORDS


def test_none_is_lost_while_the_collector_is_away(tmp_path):
    """Nor where rsyslogd is started anew meanwhile."""
    log_file = tmp_path / "profiler.jsonl"
    sent = write_records(log_file, MANY)

    came = rsyslog.shipped_late(log_file, MANY, most_s=60)

    assert came == sent
