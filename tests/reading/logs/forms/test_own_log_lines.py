# SPDX-License-Identifier: Apache-2.0
"""The text of ``log_requests``, whatever clients put into path and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from nova_profiler.reading.logs.forms import Unusable, own_records
from nova_profiler.reading.logs.forms.own_log_lines import LOGGER, entry_of
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.record import RequestRecord

TAIL = " 200 12.5 ms, user=ann project=staff"


def entry(message: str):
    return entry_of(LinePrefix(None, message, logger=LOGGER))


@pytest.mark.parametrize(
    "line",
    [
        "CALL rpc conductor Instance.save ok 12.5 ms, waited 1.0 ms",
        "TASK task LONG_TASK ComputeManager.build ok 12.5 ms",
        "PERIODIC periodic ComputeManager._sync_power_states failed 12.5 ms",
    ],
)
def test_a_message_or_a_task_is_named_and_no_request(line):
    """Its time is no REST call's."""
    with pytest.raises(Unusable, match="record of a message or a task"):
        entry(f"{line}, user=ann project=staff")


@pytest.mark.parametrize("kind", ["message", "task", "periodic"])
def test_a_record_of_another_kind_is_no_request(kind):
    """The same of a line of log_file."""
    record = RequestRecord()
    record.kind = kind

    with pytest.raises(Unusable, match="record of a message or a task"):
        own_records.entry_of(record.to_dict())


@pytest.mark.parametrize(
    "path",
    [
        "/v2.1/servers",
        "/v2.1/servers 404 1 ms, user=eve project=none",
        "/v2.1/x project=y",
        "/v2.1/x 1 2 ms, user=",
        "/" + " 1 1 ms" * 10_000,
        "/" + " 1 1 ms, user=" * 10_000,
        "/ 1 1 ms" + ", a 1 calls 1 ms" * 10_000,
    ],
)
def test_what_a_path_holds_is_no_figure(path):
    """The last place that fits is ours: a client chooses what is before."""
    found = entry(f"GET {path}{TAIL}")

    assert (found.status, found.ms) == (200, 12.5)
    assert (found.user, found.project) == ("ann", "staff")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "GET",
        f"{TAIL}",
        f"{'M' * 41} /{TAIL}",
        f"GET /a\n/b{TAIL}",
        "GET / 200 12.5 ms, user=ann",
        "GET / project=x 200 12.5 ms, user=ann",
        "GET /" + " 1 1 ms" * 15_000,
        "GET / 1 1 ms, user=" + " project=" * 15_000 + "\n.",
        "GET /" + " 1 1 ms, a 1 calls 1 ms" * 15_000,
    ],
)
def test_another_text_is_none_of_ours(message):
    assert entry(message) is None


@given(st.text(st.sampled_from("GET/12 .ms,=userprojectdb_apicalls%\n")))
def test_any_text_is_read_or_left(message):
    found = entry(message)

    assert found is None or found.ms >= 0


def test_another_logger_is_not_ours():
    assert entry_of(LinePrefix(None, f"GET /{TAIL}", logger="x")) is None


def test_the_line_in_the_manual_is_read():
    """Its milliseconds are a sum of calls, its share is of the clock."""
    manual = ROOT / "doc" / "source" / "reference" / "log_lines.rst"
    (line,) = [
        one.strip()
        for one in manual.read_text().splitlines()
        if one.startswith("   GET ")
    ]

    found = entry(line)

    assert (found.ms, found.db_api_calls) == (684.5, 6)
    assert found.db_api_ms == 158.5
    assert found.db_api_wall_ms == pytest.approx(0.203 * 684.5)
