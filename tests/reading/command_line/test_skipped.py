# SPDX-License-Identifier: Apache-2.0
"""What was left out, in lines that a terminal can hold."""

from __future__ import annotations

import pytest

from nova_profiler.reading.command_line.skipped import print_unread
from nova_profiler.reading.logs.files.sources import DUMP, NOT_READABLE
from nova_profiler.reading.logs.unread import Unread

PATH = "/var/log/" + "long/" * 30 + "nova-api.log"


@pytest.fixture
def unread():
    """Return one kind of lines, and two of files."""
    unread = Unread()
    unread.add("log line without a request", "x" * 500, 12)
    unread.add(NOT_READABLE, f"{PATH}: Permission denied")
    unread.add(DUMP, PATH, 3)
    return unread


def printed(capsys, unread):
    """Return the lines of standard error."""
    print_unread(unread)
    return capsys.readouterr().err.splitlines()


def test_a_kind_of_lines_takes_one_line_of_a_terminal(
    capsys, unread, monkeypatch
):
    """Its number comes first, and an example fills the line."""
    monkeypatch.setenv("COLUMNS", "80")

    first, *_ = printed(capsys, unread)

    start = "skipped: 12 log lines without a request: xxx"
    assert first.startswith(start)
    assert first.endswith("x...")
    assert len(first) == 80


def test_what_names_a_file_stays_whole(capsys, unread, monkeypatch):
    """With the reason that it was left out for."""
    monkeypatch.setenv("COLUMNS", "80")

    _, *lines = printed(capsys, unread)

    assert lines == [
        "skipped: 3 dumps, which show and calls read with --dump-dir:",
        f"         {PATH}",
        "skipped: file that cannot be read:",
        f"         {PATH}:",
        "         Permission denied",
    ]


def test_a_pipe_gets_whole_lines(capsys, unread, monkeypatch):
    """A job of CI is searched for them."""
    monkeypatch.delenv("COLUMNS", raising=False)

    lines = printed(capsys, unread)

    assert lines == [
        f"skipped: 12 log lines without a request: {'x' * 300}",
        f"skipped: 3 dumps, which show and calls read with --dump-dir: {PATH}",
        f"skipped: file that cannot be read: {PATH}: Permission denied",
    ]
