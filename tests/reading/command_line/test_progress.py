# SPDX-License-Identifier: Apache-2.0
"""A bar where a person watches, and nothing in a pipe."""

from __future__ import annotations

import io

import pytest

from nova_profiler.reading.command_line.progress import (
    log_progress,
    with_progress,
)
from nova_profiler.reading.logs.files.sources import Source

PIPE = Source("pipe", "pipe", None, 0.0)
FILES = [Source("a", "a", 400, 0.0), Source("b", "b", 600, 0.0)]


class Screen(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def watched(monkeypatch) -> Screen:
    """Return standard error, now a terminal of a hundred columns.

    No fixture: pytest takes standard error back before the test begins.
    """
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return screen


def test_items_move_a_bar(monkeypatch):
    """Every item comes through, and its label is on the screen."""
    screen = watched(monkeypatch)
    assert list(with_progress(range(3), "reading dumps", 3)) == [0, 1, 2]

    assert "reading dumps" in screen.getvalue()


@pytest.mark.parametrize("total", [None, 3])
def test_items_move_nothing_into_a_pipe(capsys, total):
    """A log of a cron job has no control characters."""
    assert list(with_progress(range(3), "reading dumps", total)) == [0, 1, 2]

    assert capsys.readouterr().err == ""


def test_bytes_of_logs_move_a_bar(monkeypatch):
    """What is read, what it is read for, and what was found."""
    screen = watched(monkeypatch)
    with log_progress(FILES, "reading logs") as progress:
        progress.advance(500)
        progress.restart("reading logs again")
        progress.note("found 2 lines")
        progress.advance(1000)

    shown = screen.getvalue()
    assert "reading logs again" in shown
    assert "1,000/1,000 bytes" in shown
    assert "found 2 lines" in shown


def test_the_length_of_a_pipe_is_not_known(monkeypatch):
    """The bar has no end then."""
    screen = watched(monkeypatch)
    with log_progress([*FILES, PIPE], "reading logs") as progress:
        progress.advance(500)

    assert "500/? bytes" in screen.getvalue()


def test_no_bar_comes_between_lines(monkeypatch):
    """A command that prints each line as it is found has none."""
    screen = watched(monkeypatch)
    with log_progress(FILES, "searching", is_shown=False) as progress:
        progress.advance(500)
        progress.restart("searching again")
        progress.note("found 2 lines")

    assert screen.getvalue() == ""


def test_bytes_move_nothing_into_a_pipe(capsys):
    """No bar in a log file."""
    with log_progress(FILES, "reading logs") as progress:
        progress.advance(500)

    assert capsys.readouterr().err == ""
