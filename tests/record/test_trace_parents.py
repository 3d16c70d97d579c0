# SPDX-License-Identifier: Apache-2.0
"""The ids of a trace that came in: valid ones alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.record.trace_parents import trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "text", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"]
)
def test_both_ids_are_taken(text):
    """Whether the trace is sampled or not."""
    assert trace_of(text) == (TRACE, SPAN)


def test_a_later_version_may_have_more_fields():
    """What stands behind a further dash is its own."""
    assert trace_of(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [
        None,
        1,
        b"bytes",
        "",
        TRACE,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01" + "-x" * 1000,
        f"00-{TRACE}-{SPAN}",
        f"٠٠-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_not_valid_is_none(text):
    """As the recommendation has it."""
    assert trace_of(text) is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    """A client may send what it likes."""
    found = trace_of(text)

    assert found is None or (len(found[0]), len(found[1])) == (32, 16)
