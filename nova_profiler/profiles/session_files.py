# SPDX-License-Identifier: Apache-2.0
"""``.pyisession`` files: the JSON of a pyinstrument session, both ways."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any, NamedTuple, NoReturn

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles import PYINSTRUMENT, WRITERS
from nova_profiler.profiles.timed_stacks import TimedStacks, timed_stacks_of
from nova_profiler.trust.collector_pause import collector_paused

# A stack, the outermost frame first, and the seconds that it stands for.
Sample = tuple[list[str], float]

# The fields that name the engine, and when each stack was seen where that is
# known; pyinstrument ignores them.
_ENGINE_FIELD = "nova_profiler_engine"
_TIMED_FIELD = "nova_profiler_timed"
# A stack may be as deep as an interpreter is ever set to allow.
_DEEPEST = 10_000
_LONGEST_TEXT = 4096
_MOST_S = 1e9

# Bounds what a session that was made to be silly can take. Past it a stack
# ends where it leaves those that are there.
MOST_FRAMES = 1_000_000


class SessionError(NovaProfilerError, ValueError):
    """The text is not a session."""


class About(NamedTuple):
    """What a session has beside its records, for the writer."""

    engine: str
    title: str
    samples: int
    interval_s: float
    # Seconds since 1970.
    started_at: float = 0.0
    duration_s: float = 0.0
    cpu_s: float = 0.0
    # A frame that pyinstrument may leave out at the top.
    root: str = ""


def write_session(
    records: Iterable[Sample],
    about: About,
    *,
    of_this_process: bool = False,
    timed: TimedStacks | None = None,
) -> bytes:
    """Return the file of *records*, which ``pyinstrument --load`` opens.

    pyinstrument joins equal frames of records that are neighbours. Where
    the samples are *of_this_process*, the file has its search path, by
    which pyinstrument shortens file names.
    """
    fields: dict[str, Any] = {
        _ENGINE_FIELD: about.engine,
        "start_time": about.started_at,
        "duration": about.duration_s,
        "min_interval": about.interval_s,
        "max_interval": about.interval_s,
        "sample_count": about.samples,
        "start_call_stack": [about.root],
        "target_description": about.title,
        "cpu_time": about.cpu_s,
        "sys_path": sys.path if of_this_process else [],
        "sys_prefixes": (
            sorted({sys.prefix, sys.base_prefix}) if of_this_process else []
        ),
        "frame_records": list(records),
    }
    if timed is not None and timed.lane:
        fields[_TIMED_FIELD] = timed.fields()
    return json.dumps(fields, separators=(",", ":")).encode()


class Place:
    """A frame below others: time and samples that ended just there."""

    __slots__ = ("below", "samples", "seconds", "wait_s", "work_s")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.samples = 0.0
        # Of this and all below it, for the reader that adds that up.
        self.work_s = self.wait_s = 0.0
        self.below: dict[str, Place] = {}


class Trie(NamedTuple):
    """The root of all stacks, and how many of them end too early."""

    root: Place
    cut: int


class Session(NamedTuple):
    """What is read of a session.

    ``cut`` of the records end where a text was one too many.
    """

    records: list[Sample]
    engine: str
    sample_count: float
    total_s: float
    cut: int = 0
    timed: TimedStacks | None = None

    def samples_of(self, seconds: float) -> float:
        """Return how many samples a record of *seconds* stands for.

        pyinstrument writes one for each. Elsewhere a record has all that
        are alike, and parts of them where they wait in part.
        """
        if self.sample_count <= 0 or self.total_s <= 0:
            return 1.0
        facts = WRITERS[self.engine]
        if facts.has_each_sample and self.sample_count <= len(self.records):
            return 1.0
        return self.sample_count * seconds / self.total_s

    def trie(self, most: int = MOST_FRAMES) -> Trie:
        """Return all stacks, each common beginning kept once.

        A request's samples have nearly all of their frames in common: a
        reader looks each up once for a place, not once for a sample. Of
        more than *most* places a stack ends at the last that is there.
        """
        root = Place()
        left, cut = most, 0
        for stack, seconds in self.records:
            place = root
            for frame in stack:
                found = place.below.get(frame)
                if found is None:
                    if not left:
                        cut += 1
                        break
                    left -= 1
                    found = place.below[frame] = Place()
                place = found
            place.seconds += seconds
            place.samples += self.samples_of(seconds)
        return Trie(root, cut)


def read_session(
    content: bytes,
    engine_beside: Callable[[], str | None] = lambda: None,
    most_texts: float = math.inf,
) -> Session:
    """Return the session in *content*; raises SessionError at what is wrong.

    Nothing of it is taken on trust but what these fields have to be. Where
    it does not name its engine *engine_beside* is asked. Of more than
    *most_texts* frames a stack ends before the first that has no room; its
    time stays.
    """
    # A session is made of lists, through which the collector goes each time
    # that there are more of them.
    with collector_paused():
        return _session_in(content, engine_beside, most_texts)


def _session_in(
    content: bytes,
    engine_beside: Callable[[], str | None],
    most_texts: float,
) -> Session:
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
    texts = _Texts(most_texts)
    records = list(_records(fields["frame_records"], texts))
    return Session(
        records,
        _engine_of(fields.get(_ENGINE_FIELD), engine_beside),
        _number(fields, "sample_count"),
        sum(seconds for _, seconds in records),
        texts.cut,
        _timed(fields, len(records)),
    )


def _timed(fields: dict[str, Any], records: int) -> TimedStacks | None:
    try:
        return timed_stacks_of(fields.get(_TIMED_FIELD), records)
    except ValueError as exc:
        raise SessionError(f"not a session: {exc}") from None


def _engine_of(named: Any, beside: Callable[[], str | None]) -> str:
    """Return what took the samples; sessions of others are pyinstrument's."""
    engine = beside() if named is None else named
    if isinstance(engine, str) and engine in WRITERS:
        return engine
    return PYINSTRUMENT


class _Texts:
    """The frames of a session, each checked once, and no more than *most*.

    ``cut`` stacks had one more.
    """

    def __init__(self, most: float) -> None:
        self.cut = 0
        self._most = most
        self._checked: set[str] = set()

    def stack(self, stack: Any) -> list[str]:
        """Return *stack*, or the beginning of it that has room."""
        if not isinstance(stack, list) or len(stack) > _DEEPEST:
            raise SessionError("not a session: a sample without its stack")
        checked = self._checked
        try:
            new = set(stack) - checked
        except TypeError:
            raise SessionError("not a session: a frame is no text") from None
        if new and len(checked) + len(new) > self._most:
            self.cut += 1
            # Of a stack that is made up mostly the first has no room.
            if stack[0] in new:
                return []
            return list(takewhile(checked.__contains__, stack))
        for frame in new:
            checked.add(_text(frame))
        return stack


def _records(records: list[Any], texts: _Texts) -> Iterator[Sample]:
    for record in records:
        if not isinstance(record, list) or len(record) != 2:
            raise SessionError("not a session: a sample is none")
        stack, seconds = record
        if type(seconds) not in (int, float) or not (
            -_MOST_S <= seconds <= _MOST_S
        ):
            raise SessionError("not a session: a sample without its time")
        yield texts.stack(stack), max(0.0, float(seconds))


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
