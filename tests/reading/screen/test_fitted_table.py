# SPDX-License-Identifier: Apache-2.0
"""Tables on narrow pages: what gives way, and what never does."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from nova_profiler.reading.screen.fitted_table import (
    Column,
    fitted,
    print_fitted,
    print_left_out,
)

NAME = "n" * 30


def columns() -> list[Column]:
    """Return a name, a figure, bars and another figure."""
    return [
        Column("name", [Text(NAME)], gives=1, least=12, folds=True),
        Column("ms", [Text("138597.0")], right=True),
        Column(
            drawn=lambda width: [Text("#" * width)], ease=4, most=10, gives=2
        ),
        Column("p90", [Text("12345.6")], right=True, gives=3),
    ]


def printed(width: int) -> tuple[str, list[str]]:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system=None
    )
    left_out = print_fitted(console, columns())
    return file.getvalue(), left_out


@pytest.mark.parametrize(
    ("room", "widths", "left_out"),
    [
        (200, [30, 8, 10, 7], []),
        # Bars give what they have beyond their least before names do.
        (58, [30, 8, 7, 7], []),
        (50, [25, 8, 4, 7], []),
        (35, [16, 8, None, 7], []),
        (28, [18, 8, None, None], ["p90"]),
        # There is no room for the least: it is shown nevertheless.
        (10, [12, 8, None, None], ["p90"]),
    ],
)
def test_each_gives_way_in_its_turn(room, widths, left_out):
    """First the bars' length, then names, bars, and other figures."""
    found = fitted(columns(), room)

    assert [found.widths.get(number) for number in range(4)] == widths
    assert found.left_out == left_out


def test_columns_left_out_are_named():
    """Those with a name, and the option that has all."""
    file = io.StringIO()

    print_left_out(Console(file=file, width=80), ["p50", "p90"])
    print_left_out(Console(file=file, width=80), [])

    assert file.getvalue() == "left out for room: p50, p90; --json has all\n"


@pytest.mark.parametrize("width", [120, 60, 40, 28, 10, 1])
def test_figures_are_whole_and_names_folded(width):
    """Even on a page too narrow for anything."""
    shown, left_out = printed(width)

    assert "138597.0" in shown
    assert "…" not in shown
    assert shown.count("n") == len(NAME) + "name".count("n")
    assert ("12345.6" in shown) is (not left_out)
    if width >= 28:
        assert max(map(len, shown.splitlines())) <= width


def test_a_pipe_gets_all():
    """A search finds whole names only."""
    file = io.StringIO()

    left_out = print_fitted(Console(file=file, width=20), columns())

    assert not left_out
    assert NAME in file.getvalue()


COLUMNS = st.lists(
    st.builds(
        lambda size, gives, least, ease: Column(
            "h",
            [Text("x" * size)],
            gives=gives,
            least=min(least, size),
            ease=ease,
            folds=True,
        ),
        st.integers(1, 60),
        st.integers(0, 4),
        st.integers(0, 20),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
)


@given(columns=COLUMNS, room=st.integers(1, 200))
def test_no_room_is_wasted_or_taken_twice(columns, room):
    """All that fit are as wide as they may be, and none is wider."""
    widths, left_out = fitted(columns, room)

    gaps = 2 * (len(widths) - 1)
    assert len(widths) + len(left_out) == len(columns)
    assert all(1 <= one <= columns[n].whole for n, one in widths.items())
    if sum(widths.values()) + gaps < room:
        assert all(one == columns[n].whole for n, one in widths.items())
    if sum(widths.values()) + gaps > room:
        # Whatever may give way has.
        assert all(
            columns[n].least >= one or not columns[n].gives
            for n, one in widths.items()
        )
