# SPDX-License-Identifier: Apache-2.0
"""Progress is shown where somebody watches, and nowhere else."""

from __future__ import annotations

import io

import pytest

from nova_profiler.reading.command_line.folded_progress import with_progress


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar(monkeypatch):
    """Every item comes through, and its label is on the screen."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    assert list(with_progress(range(3), "reading dumps", 3)) == [0, 1, 2]

    assert "reading dumps" in screen.getvalue()


@pytest.mark.parametrize("total", [None, 3])
def test_a_pipe_sees_nothing(capsys, total):
    """A log of a cron job has no control characters."""
    assert list(with_progress(range(3), "reading dumps", total)) == [0, 1, 2]

    assert capsys.readouterr().err == ""
