# SPDX-License-Identifier: Apache-2.0
"""What a request can be had as, for other programs: a row for each format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles.exports import SUFFIXES, exported
from nova_profiler.profiles.loading import Profile, beside
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code.timelines.formats import FORMATS, content_in
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.record_words import full_title_of
from nova_profiler.reading.requests.one_request.loading import (
    MOST_FUNCTIONS,
)
from nova_profiler.record import RequestRecord

BYTES = "application/octet-stream"
JSON, TEXT = "application/json", "text/plain"


class Asked(NamedTuple):
    """A request: its record, its stacks if there are any, its dump."""

    record: RequestRecord
    profile: Profile | None
    dump: Path


class Download(NamedTuple):
    """A format: *made* returns a request in it, where there is one.

    ``name`` is its place in the URL, ``suffix`` the end of its file's name.
    ``is_there`` is whether a request can be had in it.
    """

    name: str
    words: str
    suffix: str
    content_type: str
    is_there: Callable[[Asked], bool]
    made: Callable[[Asked], bytes]


def _has_profile(asked: Asked) -> bool:
    return asked.profile is not None


def _has_stacks(asked: Asked) -> bool:
    return isinstance(asked.profile, StackTree)


def _title_of(asked: Asked) -> str:
    record = asked.record
    return f"{full_title_of(record)}, {record.duration_ms:.1f} ms"


def _exported(how: str) -> Callable[[Asked], bytes]:
    def made(asked: Asked) -> bytes:
        if asked.profile is None:
            raise NovaProfilerError(f"{asked.dump.name}: no stacks beside it")
        return exported(asked.profile, how, _title_of(asked))

    return made


def _of_profile(
    name: str,
    words: str,
    content_type: str,
    is_there: Callable[[Asked], bool] = _has_stacks,
) -> Download:
    return Download(
        name, words, SUFFIXES[name], content_type, is_there, _exported(name)
    )


def _of_timelines(name: str, words: str) -> Download:
    """Return a format of calls over time, which has stacks besides."""

    def made(asked: Asked) -> bytes:
        # Stacks that are too many for a page are left out here, too.
        path = None if asked.profile is None else beside(asked.dump)
        return content_in(
            name,
            _title_of(asked),
            [path or asked.dump],
            Skipped(),
            MOST_FUNCTIONS,
        )

    suffix = FORMATS[name].suffix
    return Download(name, words, suffix, JSON, lambda asked: True, made)


# JSON of all is the page's own twin.
DOWNLOADS = (
    _of_timelines("firefox", "Firefox Profiler"),
    _of_timelines("perfetto", "Perfetto"),
    _of_profile("speedscope", "speedscope", JSON),
    _of_profile("pstats", "pstats", BYTES, _has_profile),
    _of_profile("collapsed", "collapsed stacks", TEXT),
    _of_profile("pyinstrument", "pyinstrument", JSON),
)
BY_NAME = {one.name: one for one in DOWNLOADS}
