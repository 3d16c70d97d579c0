# SPDX-License-Identifier: Apache-2.0
"""The formats that have requests over time: one row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from nova_profiler.dump_store import DumpError, read_dump
from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.profiles import SAMPLES_SUFFIX, ProfileError
from nova_profiler.profiles.loading import session_of
from nova_profiler.reading.code.adding_up import none_read
from nova_profiler.reading.code.timelines.firefox import firefox_profile
from nova_profiler.reading.code.timelines.left_out import File, cut_line
from nova_profiler.reading.code.timelines.trace_events import trace_events
from nova_profiler.reading.code.timelines.tracks import (
    Source,
    Timelines,
    timelines_of,
)
from nova_profiler.reading.screen.terminal import counted
from nova_profiler.record import RequestRecord
from nova_profiler.trust.files import FileError, content_of

# Of a file; the first ones that are named.
MOST_REQUESTS = 50
# What formats of times have of a file of cProfile.
COUNTED = "counted calls have no stacks: only the calls of the record are in"


class Format(NamedTuple):
    """How files are named, and what makes one of a title and requests."""

    suffix: str
    content_of: Callable[[str, Timelines, Sequence[str]], File]


FORMATS = {
    "firefox": Format(".firefox.json", firefox_profile),
    "perfetto": Format(".perfetto.json", trace_events),
}


def content_in(
    how: str,
    title: str,
    paths: Sequence[Path],
    most_texts: int | None = None,
    unread: Sequence[str] = (),
) -> File:
    """Return the requests of *paths*, dumps or what lies beside them.

    The stacks of each have *most_texts* frames at most. What is unreadable or
    has no room is named in the file, and beside it; *unread* is what the
    caller knows of that. Raises NovaProfilerError if all is unreadable.
    """
    sources = []
    errors = list(unread)
    for path in paths[:MOST_REQUESTS]:
        source = _source(path, errors, most_texts)
        if source.record is not None or source.session is not None:
            sources.append(source)
    if errors and not sources:
        raise none_read(errors)
    if paths[MOST_REQUESTS:]:
        errors.append(
            f"{counted(len(paths) - MOST_REQUESTS, 'request')} left out: a "
            f"file has room for {MOST_REQUESTS}"
        )
    cut = sum(one.session.cut for one in sources if one.session is not None)
    if cut and most_texts is not None:
        errors.append(cut_line(cut, most_texts, "functions"))
    return FORMATS[how].content_of(title, timelines_of(sources), errors)


def _source(path: Path, errors: list[str], most_texts: int | None) -> Source:
    record = _record(path, errors)
    session = None
    if path.suffix == SAMPLES_SUFFIX:
        try:
            session = session_of(path, content_of(path), most_texts)
        except (FileError, ProfileError) as exc:
            errors.append(str(exc))
    elif path.suffix != DUMP_SUFFIX and record is not None:
        errors.append(f"{path.name}: {COUNTED}")
    return Source(path.name, record, session)


def _record(path: Path, errors: list[str]) -> RequestRecord | None:
    dump = path.with_suffix(DUMP_SUFFIX)
    try:
        return read_dump(dump)
    except DumpError as exc:
        # Stacks can be exported without their dump.
        if path.suffix != SAMPLES_SUFFIX:
            errors.append(str(exc))
        return None
