# SPDX-License-Identifier: Apache-2.0
"""Markdown that stays what it is, whatever names it holds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.screen.markdown_cells import (
    code_block,
    code_span,
    quoted,
    table_of,
)

UNQUOTED_BAR = re.compile(r"(?<!\\)(?:\\\\)*\|")


def test_signs_of_markdown_are_quoted():
    """A bar stays a bar, as do tags and references."""
    assert quoted("a|b *c* <d> #1 `e`") == (r"a\|b \*c\* \<d\> \#1 \`e\`")


def test_a_code_span_cannot_be_ended_from_within():
    """A back quote becomes an apostrophe; the rest is as it is in code."""
    assert code_span("GET /a|b`c") == "`GET /a|b'c`"


def test_a_code_block_cannot_be_ended_from_within():
    """Each line is one, without control characters."""
    block = code_block(["```", "a\x1b[2J|b"])

    assert block == "```text\n'''\na\N{REPLACEMENT CHARACTER}[2J|b\n```"


def test_a_table_has_names_to_the_left_and_numbers_to_the_right():
    """Its rows follow the rule that says so."""
    assert table_of(["route", "calls"], [("/a|b", 2)], 1).splitlines() == [
        "| route | calls |",
        "| --- | ---: |",
        r"| /a\|b | 2 |",
    ]


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_any_names_leave_a_table_its_columns(row):
    """Two cells are two cells."""
    line = table_of(["a", "b"], [row], 2).split("\n")[2:]

    assert len(line) == 1
    assert len(UNQUOTED_BAR.findall(line[0])) == 3
