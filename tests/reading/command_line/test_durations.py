# SPDX-License-Identifier: Apache-2.0
"""Durations have units in all commands; a number keeps its meaning."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.command_line.durations import Duration


@pytest.mark.parametrize(
    ("unit", "text", "number"),
    [
        ("s", "1", 1),
        ("s", "1s", 1),
        ("s", "500ms", 0.5),
        ("s", " 500 ms ", 0.5),
        ("s", "2h", 7200),
        ("ms", "1", 1),
        ("ms", "1.5", 1.5),
        ("ms", "1s", 1000),
        ("ms", "250us", 0.25),
        ("ms", "0", 0),
        ("h", "24", 24),
        ("h", "7d", 168),
        ("h", "1w", 168),
        ("h", "30m", 0.5),
    ],
)
def test_a_duration_with_and_without_a_unit(unit, text, number):
    """The value is of the option's own unit."""
    assert Duration(unit).convert(text, None, None) == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "expected a time such as 500ms, 1s or 2h; a number without"),
        ("x", "a unit is seconds"),
        ("nan", "not a finite number"),
        ("-1", "not in the range 0<x<=86400"),
        ("1 hour", "expected a time"),
        ("", "expected a time"),
        ("0", "0.0 is not in the range 0<x<=86400"),
        ("2d", "is not in the range 0<x<=86400"),
    ],
)
def test_what_is_no_duration_is_refused(text, message):
    """With what is expected."""
    kind = Duration("s", 0, 86400, min_open=True)

    with pytest.raises(click.BadParameter, match=message):
        kind.convert(text, None, None)


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text):
    """It never fails in another way, and never is negative."""
    try:
        number = Duration("ms").convert(text, None, None)
    except click.BadParameter:
        return
    assert number >= 0
