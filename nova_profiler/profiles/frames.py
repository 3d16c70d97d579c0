# SPDX-License-Identifier: Apache-2.0
"""The texts that a session's stacks are made of, to and from functions."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova_profiler.profiles import (
    ELSEWHERE,
    RAN_UNSEEN,
    WAITING,
    WAITING_STATES,
)
from nova_profiler.profiles.functions import Function

# name NUL file NUL first line, then attributes, each after a SOH
_PART, _ATTRIBUTE = "\x00", "\x01"
_LINE_ATTRIBUTE = "l"
# pyinstrument's outermost frame, which names a thread.
_THREAD = f"{_PART}<thread>{_PART}"
# States of a thread stand for functions without a file.
STATES = WAITING_STATES | {RAN_UNSEEN}
_BUILT_IN = "~"
# Frames that only mark the request of a stack: each has one of its own.
_MARK = re.compile(r"np_request_[0-9]{1,9}")


class Frame(NamedTuple):
    """A function and the line that it had come to."""

    function: Function
    line: int | None


def frame_text(name: str, file: str, first_line: int, line: int = 0) -> str:
    """Return a frame as pyinstrument writes it.

    *first_line* is where the function begins, *line* the one that it had
    come to; 0 where that is unknown. A thread's state has only its name.
    """
    if name in STATES:
        return name
    text = f"{name}{_PART}{file}{_PART}{first_line}"
    return f"{text}{_ATTRIBUTE}{_LINE_ATTRIBUTE}{line}" if line else text


def identifier_of(text: str) -> str:
    """Return a frame without the line that it had come to."""
    return text.partition(_ATTRIBUTE)[0]


class Frames:
    """Texts of frames and what they mean, each read once.

    The former engine pyspy wrote the first line that was seen in the place of
    the function's own, another one in each session. With *has_first_lines*
    false a function is known by file and name, as line 0.
    """

    def __init__(self, *, has_first_lines: bool) -> None:
        self._has_first_lines = has_first_lines
        self._known: dict[str, Frame | None] = {}
        self._first: dict[Function, int] = {}

    def frame(self, text: str) -> Frame | None:
        """Return what *text* means, None if that is no function."""
        try:
            return self._known[text]
        except KeyError:
            frame = self._known[text] = self._read(text)
            return frame

    def forget(self, most: int) -> None:
        """Forget the texts if they are more than *most*."""
        if len(self._known) > most:
            self._known.clear()

    def join(self, other: Frames) -> None:
        """Learn the first lines that *other* knows."""
        for function, line in other._first.items():
            self._first[function] = min(line, self._first.get(function, line))

    def placed(self, function: Function) -> Function:
        """Return *function* with the first of its lines that is known."""
        if self._has_first_lines:
            return function
        return function._replace(line=self._first.get(function, 0))

    def _read(self, text: str) -> Frame | None:
        if text in STATES:
            return Frame(Function(_BUILT_IN, 0, text), None)
        identifier, _, attributes = text.partition(_ATTRIBUTE)
        name, _, place = identifier.partition(_PART)
        file, _, number = place.partition(_PART)
        if not place or is_thread(text) or _MARK.fullmatch(name):
            return None
        function = Function(file, _line_of(number) or 0, name)
        if not self._has_first_lines:
            first = function.line
            function = function._replace(line=0)
            self._first[function] = min(
                first, self._first.get(function, first)
            )
        for attribute in attributes.split(_ATTRIBUTE):
            if attribute.startswith(_LINE_ATTRIBUTE):
                return Frame(function, _line_of(attribute[1:]))
        return Frame(function, None)


def is_thread(text: str) -> bool:
    """Return whether a frame stands for a thread."""
    return _THREAD in text


def is_elsewhere(text: str) -> bool:
    """Return whether a frame marks time that was not the request's."""
    return text.partition(_PART)[0] in ELSEWHERE


def is_waiting(text: str) -> bool:
    """Return whether a frame marks that its thread waited."""
    return text.partition(_PART)[0] == WAITING


def _line_of(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    return None
