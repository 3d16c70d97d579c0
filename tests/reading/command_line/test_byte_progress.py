# SPDX-License-Identifier: Apache-2.0
"""A bar where somebody watches, and nothing where nobody does."""

from __future__ import annotations

import io

from nova_profiler.reading.command_line.progress import byte_progress


class Screen(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def read(stream, monkeypatch) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with byte_progress("reading logs", 1000) as progress:
        progress.advance(500)
        progress.restart()
        progress.advance(1000)
    return stream.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch):
    """With what is read, and why it begins anew."""
    shown = read(Screen(), monkeypatch)

    assert "reading logs, lines of several forms" in shown
    assert "1,000/1,000 bytes" in shown


def test_a_pipe_gets_nothing(monkeypatch):
    """No bar in a log file."""
    assert read(io.StringIO(), monkeypatch) == ""
