# SPDX-License-Identifier: Apache-2.0
"""The text of ``log_requests``, whatever clients put into path and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.forms.own_log_lines import LOGGER, entry_of
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix

TAIL = " 200 12.5 ms, user=ann project=staff"


def entry(message: str):
    return entry_of(LinePrefix(None, message, logger=LOGGER))


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
