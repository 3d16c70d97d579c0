# SPDX-License-Identifier: Apache-2.0
"""Long pages have a pager on a terminal, and nothing else has one."""

from __future__ import annotations

import io
import os
import shlex
import sys
from contextlib import contextmanager

import pytest
from builders import numbered, written

from nova_profiler.cli import main
from nova_profiler.reading.command_line.paging import VARIABLE, paged, unpaged

LONG = "".join(f"line {n}\n" for n in range(100))


class Terminal(io.StringIO):
    """A terminal of 24 lines."""

    encoding = "utf-8"

    def isatty(self):
        """Tell that it is one."""
        return True


@pytest.fixture
def pager(tmp_path, monkeypatch):
    """Return the file in which a pager leaves what it is given."""
    shown = tmp_path / "shown"
    script = tmp_path / "the pager"
    script.write_text(f'#!/bin/sh\n(echo "$LESS"; cat) > {shown}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PAGER", shlex.quote(str(script)))
    monkeypatch.delenv("LESS", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("COLUMNS", "80")
    return shown


@pytest.fixture
def terminal():
    """Return what is a terminal."""
    return Terminal()


@contextmanager
def on(terminal):
    """Have *terminal* as standard output; pytest takes it from fixtures."""
    before = sys.stdout
    sys.stdout = terminal
    try:
        yield
    finally:
        sys.stdout = before


def test_a_long_page_goes_to_the_pager(pager, terminal):
    """With less as git has it; colours stay."""
    with on(terminal), paged():
        assert sys.stdout.isatty()
        sys.stdout.write(LONG)

    assert pager.read_text() == f"FRX\n{LONG}"
    assert terminal.getvalue() == ""


def test_a_page_that_fits_is_printed(pager, terminal):
    """No pager is started for it."""
    with on(terminal), paged():
        sys.stdout.write("one\ntwo\n")

    assert terminal.getvalue() == "one\ntwo\n"
    assert not pager.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGER", "cat"),
        ("PAGER", ""),
        ("PAGER", "/no/such/pager"),
        ("PAGER", "'"),
        (VARIABLE, "cat"),
        ("TERM", "dumb"),
    ],
)
def test_who_wants_none_has_none(pager, terminal, monkeypatch, name, value):
    """Our own variable goes before the other programs'."""
    monkeypatch.setenv(name, value)

    with on(terminal), paged():
        sys.stdout.write(LONG)

    assert terminal.getvalue() == LONG
    assert not pager.exists()


def test_what_is_no_terminal_has_none(pager):
    """A pipe gets all at once."""
    pipe = io.StringIO()

    with on(pipe), paged():
        sys.stdout.write(LONG)

    assert pipe.getvalue() == LONG
    assert not pager.exists()


def test_a_page_is_shown_where_the_command_fails(pager, terminal):
    """What was printed before is not lost."""
    with on(terminal), pytest.raises(ValueError, match="later"):
        with paged():
            sys.stdout.write(LONG)
            raise ValueError("later")

    assert pager.read_text().endswith(LONG)


def test_lines_of_a_stream_are_not_held(pager, terminal):
    """Each is there when it is printed."""
    with on(terminal), paged():
        sys.stdout.write("first\n")
        unpaged()
        sys.stdout.write(LONG)
        assert terminal.getvalue() == f"first\n{LONG}"

    assert not pager.exists()


@pytest.mark.parametrize(
    ("args", "is_paged"),
    [
        (["list"], True),
        (["list", "--no-pager"], False),
        (["--no-pager", "list"], False),
        (["show", "--last", "--json"], True),
        (["prune", "--max-files", "100"], False),
    ],
)
def test_which_commands_have_one(pager, terminal, tmp_path, args, is_paged):
    """Those that print a page."""
    dumps = tmp_path / "dumps"
    written(dumps, *(numbered(n) for n in range(40)))

    args = [*args, "--dump-dir", os.fspath(dumps), *_long(args)]
    with on(terminal):
        assert main(args) == 0

    assert pager.exists() == is_paged
    assert bool(terminal.getvalue()) != is_paged


def _long(args: list[str]) -> list[str]:
    return ["--limit", "40"] if "list" in args else []
