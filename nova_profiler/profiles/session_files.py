# SPDX-License-Identifier: Apache-2.0
"""Reads ``.pyisession``: the JSON of a pyinstrument session, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles import ENGINE_FIELD, PYINSTRUMENT, PYSPY

# A stack may be as deep as an interpreter is ever told to allow.
_DEEPEST = 10_000
_LONGEST_TEXT = 4096
_MOST_S = 1e9


class SessionError(NovaProfilerError, ValueError):
    """The text is not a session."""


class Session(NamedTuple):
    """What is read of a session; ``records`` are (stack, seconds)."""

    records: list[tuple[list[str], float]]
    engine: str
    sample_count: float
    total_s: float

    def samples_of(self, seconds: float) -> float:
        """Return how many samples a record of *seconds* stands for.

        pyinstrument writes one for each. Of py-spy's, a record has all that
        are alike; one that waits in part is in two records.
        """
        if self.sample_count <= 0 or self.total_s <= 0:
            return 1.0
        if self.engine == PYINSTRUMENT and self.sample_count <= len(
            self.records
        ):
            return 1.0
        return self.sample_count * seconds / self.total_s


def read_session(
    content: bytes, engine_beside: Callable[[], str | None] = lambda: None
) -> Session:
    """Return the session in *content*; raises SessionError at what is wrong.

    Nothing of it is taken on trust but what these fields have to be. Where
    it does not name its engine *engine_beside* is asked.
    """
    try:
        fields = json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise SessionError("not a session: too deep") from None
    except ValueError as exc:
        raise SessionError(f"not JSON: {exc}") from None
    if not isinstance(fields, dict) or not isinstance(
        fields.get("frame_records"), list
    ):
        raise SessionError("not a session of pyinstrument")
    records = list(_records(fields["frame_records"]))
    return Session(
        records,
        _engine_of(fields.get(ENGINE_FIELD), engine_beside),
        _number(fields, "sample_count"),
        sum(seconds for _, seconds in records),
    )


def _engine_of(named: Any, beside: Callable[[], str | None]) -> str:
    """Return what took the samples; sessions of others are pyinstrument's."""
    engine = beside() if named is None else named
    return PYSPY if engine == PYSPY else PYINSTRUMENT


def _records(records: list[Any]) -> Iterator[tuple[list[str], float]]:
    checked: set[str] = set()
    for record in records:
        if not isinstance(record, list) or len(record) != 2:
            raise SessionError("not a session: a sample is none")
        stack, seconds = record
        if type(seconds) not in (int, float) or not (
            -_MOST_S <= seconds <= _MOST_S
        ):
            raise SessionError("not a session: a sample without its time")
        yield _stack(stack, checked), max(0.0, float(seconds))


def _stack(stack: Any, checked: set[str]) -> list[str]:
    if not isinstance(stack, list) or len(stack) > _DEEPEST:
        raise SessionError("not a session: a sample without its stack")
    try:
        new = set(stack) - checked
    except TypeError:
        raise SessionError("not a session: a frame is no text") from None
    for frame in new:
        checked.add(_text(frame))
    return stack


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise SessionError("not a session: a text is none or too long")
    return value


def _number(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name) or 0
    if type(value) not in (int, float) or not abs(value) < math.inf:
        raise SessionError(f"not a session: {name} is no number")
    try:
        return float(value)
    except OverflowError:
        raise SessionError(f"not a session: {name} is too large") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
