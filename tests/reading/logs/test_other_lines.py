# SPDX-License-Identifier: Apache-2.0
"""A line without a request has a name, also where its block lacks others."""

from __future__ import annotations

import form_lines as forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.entry_of_line import (
    entry_of_line,
    marks_in,
)
from nova_profiler.reading.logs.form_table import FORMS
from nova_profiler.reading.logs.line_parts.stamps import Years
from nova_profiler.reading.logs.other_lines import (
    GOES_ON,
    NAMES,
    OF_ERROR,
    OF_TRACEBACK,
    OF_WARNING,
    OTHER,
    add_others,
    without_blank_lines,
)
from nova_profiler.reading.logs.unread import Unread, kind_text

AT = b"2026-11-21 10:35:01.125 71"
LINES = [
    (AT + b" INFO nova.service [-] Starting compute node", OTHER),
    (AT + b" DEBUG nova.context [-] ERROR is no level here", OF_ERROR),
    (AT + b" ERROR nova.compute.manager [-] No valid host", OF_ERROR),
    (AT + b" CRITICAL nova [-] Unhandled error", OF_ERROR),
    (AT + b" WARNING oslo_db [-] reconnecting", OF_WARNING),
    (AT + b" ERROR nova Traceback (most recent call last):", OF_TRACEBACK),
    (AT + b" TRACE nova     raise value", OF_TRACEBACK),
    (b'  File "/usr/lib/python3/nova/api.py", line 7, in f', OF_TRACEBACK),
    (b"    raise value", GOES_ON),
]


@pytest.mark.parametrize(("line", "kind"), LINES)
def test_a_line_has_a_name(line, kind):
    """By itself, and among the lines of its block."""
    block = b"\n".join(line for line, _ in LINES)
    for marks in (marks_in(line), marks_in(block)):
        unread = Unread()

        entry_of_line(line, Years(1.8e9), "nova.log", unread, marks)

        assert [(one.kind, one.count) for one in unread] == [(kind, 1)]


def test_names_have_their_grammar():
    """One line of an error, two lines."""
    assert kind_text(2, OF_ERROR) == "log lines of an error"
    assert kind_text(1, GOES_ON) == GOES_ON
    assert kind_text(3, OF_TRACEBACK) == "lines of a traceback"


PIECES = st.sampled_from(
    [
        *(form.raw_mark or form.mark for form in FORMS),
        *(mark.decode() for mark, _ in NAMES),
        '{"', "://", "(pid:", "HARAKIRI", "a", "\n", " ", "[", "WARNING",
    ]
)  # fmt: skip


@given(st.lists(PIECES).map("".join))
def test_marks_are_those_that_are_there(text):
    """Whatever is left out to see it quicker."""
    block = text.encode()

    marks = marks_in(block)

    there = tuple(one for one in NAMES if one[0] in block)
    # Of JSON alone each line has the first mark: no other is looked for.
    if marks.others != NAMES or not block.startswith(b'{"'):
        assert marks.others == there
    assert set(marks.forms) >= {
        mark
        for form in FORMS
        if (mark := (form.raw_mark or form.mark).encode()) in block
    }


@given(
    st.lists(
        st.sampled_from([*(line for line, _ in LINES), b" ", b"\t\r", b"x"])
    )
)
def test_lines_are_noted_together_as_each_for_itself(lines):
    """The same kinds, counts and examples."""
    together, alone = Unread(), Unread()

    add_others(lines, marks_in(b"\n".join(lines)).others, together)
    for line in lines:
        entry_of_line(line, Years(1.8e9), "nova.log", alone)

    assert list(together) == list(alone)


def test_every_form_has_its_mark():
    """A line that no mark is in would never be read."""
    for line in forms.ALL:
        assert marks_in(line.encode()).forms


@given(
    st.lists(
        st.sampled_from([b"", b"", b"", b" ", b"\t", b"\r", b"a", b"  b"])
    )
)
def test_only_blank_lines_are_left_out(lines):
    """All others stay as they are, in their order, blanks included."""
    block = b"\n".join(lines)

    left = without_blank_lines(block)

    assert [one for one in left.split(b"\n") if one.strip()] == [
        one for one in lines if one.strip()
    ]


def test_a_block_of_blank_lines_is_next_to_nothing():
    """Whatever ends them; one of requests is not looked through."""
    request = forms.REQUESTLOG.encode() + b"\n\n"

    for unit in (b"\n", b"\r\n", b" \n", b"\n \t\n"):
        assert without_blank_lines(unit * 10_000) == b"\n"
    assert without_blank_lines(request * 10) == request * 10
