# SPDX-License-Identifier: Apache-2.0
"""The width of what is printed, where there is a terminal and where not."""

from __future__ import annotations

import os

import pytest

from nova_profiler.reading.screen.terminal import ms_text, terminal


@pytest.mark.parametrize(
    ("columns", "width"), [(80, 80), (200, 120), (0, 120), (None, 120)]
)
def test_a_pipe_is_no_wider_than_the_screen_behind_it(
    monkeypatch, columns, width
):
    """A person watches `| less`; with no terminal it is what it was."""

    def size_of(descriptor: int) -> os.terminal_size:
        if columns is None:
            raise OSError(25, "Inappropriate ioctl for device")
        return os.terminal_size((columns, 24))

    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", size_of)

    assert terminal().width == width


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
def test_no_time_is_less_than_nothing_by_rounding(digits):
    """A difference of two sums is often -1e-12."""
    for ms in (-0.0, -1e-12, -0.0004, 0.0):
        assert not ms_text(ms, digits).startswith("-")
    assert ms_text(-2.0, digits).startswith("-2")
