# SPDX-License-Identifier: Apache-2.0
"""A pager for pages longer than the terminal, as git has one."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

VARIABLE = "NOVA_PROFILER_PAGER"

# As git has it: end where all fits, keep colours, leave the screen alone.
_LESS_OPTIONS = "FRX"
_NO_PAGER = ("", "cat")


class _Held(io.TextIOWrapper):
    """What is held back for the pager, for a terminal all the same."""

    def __init__(self, shown: TextIO) -> None:
        self.content = io.BytesIO()
        super().__init__(
            self.content,
            encoding=shown.encoding,
            errors="replace",
            newline="\n",
        )
        self.shown = shown

    def isatty(self) -> bool:
        """Tell what becomes of it: colours and widths are a terminal's."""
        return True


@contextmanager
def paged() -> Iterator[None]:
    """Show what is printed inside with a pager, if it is long.


    Only where standard output is a terminal. The pager is that of
    NOVA_PROFILER_PAGER, PAGER, or less; an empty one or ``cat`` is none.
    """
    shown = sys.stdout
    pager = _pager() if _is_terminal(shown) else []
    if not pager:
        yield
        return
    held = _Held(shown)
    sys.stdout = held
    try:
        yield
    finally:
        # Nothing is left to show where unpaged() came first.
        text = _text_of(held)
        sys.stdout = shown
        if text:
            _show(text, shown, pager)


def unpaged() -> None:
    """Print at once from here on: no pager, or no end to wait for."""
    held = sys.stdout
    if isinstance(held, _Held):
        text = _text_of(held)
        sys.stdout = held.shown
        _write(text, held.shown)


def _stop_paging(
    ctx: click.Context, param: click.Parameter, value: bool
) -> None:
    if value:
        unpaged()


def with_pager_option(command: click.Command) -> click.Command:
    """Add ``--no-pager`` to *command*, once."""
    if not any(one.name == "no_pager" for one in command.params):
        command.params.append(
            click.Option(
                ["--no-pager"],
                is_flag=True,
                # Before others, whose errors would be held back.
                is_eager=True,
                expose_value=False,
                callback=_stop_paging,
                help="Print long pages at once, too; see PAGER and "
                f"{VARIABLE}.",
            )
        )
    return command


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:
        # It is closed.
        return False


def _pager() -> list[str]:
    """Return the pager's command, empty for none."""
    chosen = os.environ.get(VARIABLE, os.environ.get("PAGER", "less"))
    if chosen.strip() in _NO_PAGER:
        return []
    try:
        words = shlex.split(chosen)
    except ValueError:
        return []
    return words if words and shutil.which(words[0]) else []


def _text_of(held: _Held) -> str:
    held.flush()
    return held.content.getvalue().decode(held.encoding, "replace")


def _show(text: str, shown: TextIO, pager: list[str]) -> None:
    height = shutil.get_terminal_size().lines
    if text.count("\n") < height:
        _write(text, shown)
        return
    environ = {**os.environ}
    environ.setdefault("LESS", _LESS_OPTIONS)
    try:
        # The user's own choice, as with git.
        process = subprocess.Popen(  # noqa: S603 - what PAGER names
            pager, stdin=subprocess.PIPE, env=environ
        )
    except OSError:
        _write(text, shown)
        return
    # Ctrl-C is the pager's, as it ends a search there.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.communicate(text.encode(shown.encoding, "replace"))
    finally:
        signal.signal(signal.SIGINT, before)


def _write(text: str, shown: TextIO) -> None:
    shown.write(text)
    shown.flush()
