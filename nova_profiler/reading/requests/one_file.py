# SPDX-License-Identifier: Apache-2.0
"""The page of a request as one file, with what is around the request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore
from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.profiles.loading import Profile
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services import html_page as picture_page
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.record_words import full_title_of
from nova_profiler.reading.requests.one_request.html_page import page_of
from nova_profiler.reading.requests.one_request.loading import (
    profile_beside,
    record_in,
)
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    Around,
    Surroundings,
)
from nova_profiler.reading.requests.one_request.page_parts.standing import (
    Standing,
    standing_of,
)
from nova_profiler.record import RequestRecord


def file_of(
    record: RequestRecord,
    entry: DumpEntry | None,
    profile: Profile | None,
    skipped: Skipped,
    services: Around | None = None,
) -> str:
    """Return the page of *record*, among the others of its directory.

    *entry* is its dump, None for a line of a log. Raises NovaProfilerError
    without Jinja2.
    """
    standing = None if entry is None else _standing(record, entry)
    around = Surroundings(standing=standing, services=services)
    notes = [skipped.first] if skipped.count else []
    return page_of(record, profile, around=around, notes=notes)


def file_of_picture(
    picture: Picture, notes: Sequence[str], skipped: Skipped
) -> str:
    """Return the page of the client's request, with *picture* in it.

    The picture alone, where the request has no dump. Raises
    NovaProfilerError without Jinja2.
    """
    path = Path(picture.served[picture.root].source)
    try:
        if path.suffix != DUMP_SUFFIX:
            raise DumpError(f"{path.name}: a line of a log")
        store = DumpStore(path.parent)
        entry = store.find(str(path.absolute()))
        record = record_in(store, entry)
    except DumpError:
        if skipped.count:
            notes = [*notes, skipped.first]
        return picture_page.page_of(picture, notes)
    profile = profile_beside(entry.path, skipped)
    services = Around(picture, picture.root, notes=notes)
    return file_of(record, entry, profile, skipped, services)


def _standing(record: RequestRecord, entry: DumpEntry) -> Standing | None:
    """Return where it stands by the names of dumps, which have no action."""
    if record.action or not entry.started_at:
        return None
    store = DumpStore(Path(entry.folder).parent)
    try:
        durations = [
            float(one.duration_ms)
            for one in store.entries()
            if one.route_name == entry.route_name
            and one.method == entry.method
        ]
    except DumpError:
        return None
    own_ms = float(entry.duration_ms)
    return standing_of(full_title_of(record), own_ms, durations)
