# SPDX-License-Identifier: Apache-2.0
"""Tables of pages: what is in sight, what is folded, what has no place."""

from __future__ import annotations

from nova_profiler.reading.screen.html_tables import (
    BAR,
    MOST_ROWS,
    Cell,
    Head,
    Mark,
    table_of,
)

HEADS = [Head("route", is_name=True), Head("p50 ms", is_number=True)]


def rows(number: int) -> list[list[str]]:
    return [[f"/{n}", str(n)] for n in range(number)]


def test_the_first_rows_are_in_sight():
    """The others are folded, and none is lost."""
    table = table_of("By route", "rows", HEADS, rows(40), first=10)

    assert (len(table.first), len(table.rest)) == (10, 30)
    assert table.left_out == 0


def test_a_fold_is_worth_its_line():
    """One or two rows more are in sight."""
    table = table_of("By route", "rows", HEADS, rows(12), first=10)

    assert (len(table.first), len(table.rest)) == (12, 0)


def test_rows_are_bounded():
    """What has no place is counted with what the caller left out."""
    table = table_of("a", "a", HEADS, rows(MOST_ROWS + 3), left_out=4)

    assert len(table.first) + len(table.rest) == MOST_ROWS
    assert table.left_out == 7


def test_a_column_without_a_value_is_left_out():
    """A picture is a value."""
    heads = [*HEADS, Head("DB API %", is_number=True), Head("")]
    picture = Cell(marks=[Mark(BAR, 0.0, 0.5)])

    table = table_of("a", "a", heads, [["/a", "1", "", picture]])

    assert [head.text for head in table.heads] == ["route", "p50 ms", ""]
    assert table.first == [[Cell("/a"), Cell("1"), picture]]


def test_texts_are_cut_and_steer_nothing():
    """Whoever named them."""
    table = table_of("a", "a", HEADS, [["\x1b[2J" + "x" * 999, ""]])

    cell = table.first[0][0]
    assert len(cell.text) == 303
    assert cell.text.isprintable()
