# SPDX-License-Identifier: Apache-2.0
"""Which records become dumps."""

from __future__ import annotations

import pytest
from builders import record

from nova_profiler.sampling import is_kept

SLOW = {"duration_ms": 1000.0}
FAILED = {"outcome": "failed"}
ABORTED = {"outcome": "aborted"}
PROFILED = {"profile": {"engine": "x"}}


@pytest.mark.parametrize(
    ("dump_when", "fields", "kept"),
    [
        (["slow"], SLOW, True),
        (["slow"], {"duration_ms": 999.999}, False),
        (["slow"], FAILED, False),
        (["failed"], FAILED, True),
        (["failed"], ABORTED, False),
        (["failed"], SLOW, False),
        (["profiled"], PROFILED, True),
        (["profiled"], SLOW, False),
        (["slow", "failed"], FAILED, True),
        (["all"], {}, True),
        (["slow", "failed", "profiled"], {}, False),
        ([], {**SLOW, **FAILED, **PROFILED}, False),
    ],
)
def test_a_record_is_kept_for_any_reason_that_was_asked_for(
    dump_when, fields, kept
):
    """Slow from the limit on, failed, profiled; or all."""
    assert is_kept(record(**fields), dump_when, slow_ms=1000.0) is kept
