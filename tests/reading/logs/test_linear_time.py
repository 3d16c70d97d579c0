# SPDX-License-Identifier: Apache-2.0
"""No line takes more time than its length has a right to."""

from __future__ import annotations

import random

import pytest

from fuzz.inputs.log_lines import FORMS, ID, STAMP, UNITS, repeated
from fuzz.readers.logs import is_linear

TRIED = 600


def lines_of(form):
    """Yield lines of *form* with many of a unit, and with twice as many.

    A part of all that there are, always the same.
    """
    text = FORMS[form]
    places = [0, len(text)] + [
        place
        for place in range(1, len(text))
        if not (text[place - 1].isalnum() and text[place].isalnum())
    ]
    every = [(place, unit) for place in places for unit in UNITS]
    for place, unit in random.Random(form).sample(every, TRIED):
        yield repeated(text[:place], unit, text[place:])


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_long_line_of_any_form_takes_linear_time(form):
    """Whatever is repeated in it, and wherever."""
    slow = [
        line for line, longer in lines_of(form) if not is_linear(line, longer)
    ]

    assert slow == []


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "p", ""),
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "p", "] x"),
        (f"{STAMP} 1 INFO nova.api [{ID} ", "u ", ""),
        (f"{STAMP} 1 INFO nova.api [{ID} u ", "]", ""),
        (FORMS["log_requests"], " ", "x"),
        (FORMS["uwsgi"][:120], " => generated 1 bytes in 1 msecs ", ""),
        ('{"MESSAGE": "x", "_SYSTEMD_UNIT": "', "@", ' "}'),
        # A list without separators within a list: 8 s for 200 letters.
        (FORMS["ingress"][:-60], "8", ""),
        ('{"MESSAGE": "x", "_SYSTEMD_UNIT": "', "-20260101", '!"}'),
    ],
)
def test_lines_that_took_seconds(before, unit, after):
    """Expressions that tried each place with all that follows it."""
    assert is_linear(*repeated(before, unit, after))
