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
from nova_profiler.reading.code.certainty import cut_note
from nova_profiler.reading.code.timelines.formats import (
    COUNTED,
    FORMATS,
    content_in,
)
from nova_profiler.reading.code.timelines.left_out import File, left_out_of
from nova_profiler.reading.record_words import full_title_of
from nova_profiler.reading.requests.one_request.loading import (
    MOST_FUNCTIONS,
)
from nova_profiler.record import RequestRecord

BYTES = "application/octet-stream"
JSON, TEXT = "application/json", "text/plain"


class Asked(NamedTuple):
    """A request: its record, its stacks if there are any, its dump.

    ``problem`` is why there are none to be had, empty without one.
    """

    record: RequestRecord
    profile: Profile | None
    dump: Path
    problem: str = ""


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
    made: Callable[[Asked], File]


def _has_profile(asked: Asked) -> bool:
    return asked.profile is not None


def _has_stacks(asked: Asked) -> bool:
    return isinstance(asked.profile, StackTree)


def _title_of(asked: Asked) -> str:
    record = asked.record
    return f"{full_title_of(record)}, {record.duration_ms:.1f} ms"


def _exported(how: str) -> Callable[[Asked], File]:
    def made(asked: Asked) -> File:
        if asked.profile is None:
            raise NovaProfilerError(f"{asked.dump.name}: no stacks beside it")
        left_out = _cut_of(asked)
        # Where a format has a title, that is what its program shows.
        title = "; ".join([_title_of(asked), *left_out])
        return File(exported(asked.profile, how, title), left_out)

    return made


def _cut_of(asked: Asked) -> list[str]:
    note = None if asked.profile is None else cut_note(asked.profile)
    return [] if note is None else [note]


def left_out_of_files(asked: Asked) -> list[str]:
    """Return what downloads of a request lack: a line for each kind of it.

    A file that is made then has these lines, too, where its format has room
    for texts.
    """
    found = [asked.problem] if asked.problem else []
    if asked.profile is not None and not _has_stacks(asked):
        found.append(COUNTED)
    return [*found, *_cut_of(asked), *left_out_of(asked.record)]


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

    def made(asked: Asked) -> File:
        # Stacks that are too many for a page are left out here, too.
        path = None if asked.profile is None else beside(asked.dump)
        unread = [asked.problem] if asked.problem else []
        return content_in(
            name,
            _title_of(asked),
            [path or asked.dump],
            MOST_FUNCTIONS,
            unread,
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
