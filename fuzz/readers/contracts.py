# SPDX-License-Identifier: Apache-2.0
"""What a reader is to the fuzz, and what it may do with any input."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from hypothesis.strategies import SearchStrategy

from fuzz.inputs.mutations import Maker, made_by, near
from nova_profiler.cli import main

# As the interpreter, a process of ours or rich's box begins it. An error of
# ours quotes a line of a log behind its own words.
_TRACEBACK = re.compile(
    r"^\W*(Exception Group )?Traceback \(most recent call last\)", re.M
)

# Takes an input and a folder for files; raises what must not come.
Read = Callable[[bytes, Path], None]

# What steers a terminal or turns the direction of writing.
_STEERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Reader(NamedTuple):
    """Something that reads what others wrote.

    ``pieces`` are words of its form. ``finds`` are the inputs at which it
    failed once; tests try them again.
    """

    read: Read
    seeds: tuple[bytes, ...]
    pieces: tuple[bytes, ...] = ()
    finds: tuple[bytes, ...] = ()
    is_json: bool = False
    # In place of inputs near the seeds.
    maker: Maker | None = None

    @property
    def inputs(self) -> SearchStrategy[bytes]:
        """Return the inputs to try."""
        return made_by(
            self.maker or near(self.seeds, self.pieces, is_json=self.is_json)
        )


class BrokenPromiseError(AssertionError):
    """A reader went on, and did what it must not."""


def command(*args: str | Path) -> str:
    """Return what a command prints, which ends well or with one line."""
    with redirect_stdout(_stream()) as out, redirect_stderr(_stream()) as err:
        code = main([str(arg) for arg in args])
    printed, errors = _text_of(out), _text_of(err)
    if code not in (0, 1, 2):
        raise BrokenPromiseError(f"{args[0]} ended with {code}")
    if code == 2 and not errors:
        raise BrokenPromiseError(f"{args[0]} failed without a line")
    for text in (printed, errors):
        steers = _STEERS.search(text)
        if steers is not None:
            raise BrokenPromiseError(
                f"{args[0]} prints {steers[0]!r}, which steers a terminal"
            )
    # What is printed may be a log of others, which has one.
    if _TRACEBACK.search(errors):
        raise BrokenPromiseError(f"{args[0]} prints a traceback")
    return printed


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
