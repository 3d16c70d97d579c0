# SPDX-License-Identifier: Apache-2.0
"""What is asked for of one request: its page, its log lines, a download."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_profiler.dump_store import DumpEntry
from nova_profiler.reading.code.timelines.left_out import File
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.logs.files.sources import Source as LogFile
from nova_profiler.reading.over_services.figures import figures_of
from nova_profiler.reading.record_words import full_title_of
from nova_profiler.reading.requests.one_request.html_page import page_of
from nova_profiler.reading.requests.one_request.loading import (
    MOST_STACKS,
    json_fields,
    profile_beside,
    record_in,
)
from nova_profiler.reading.requests.one_request.page_parts.critical import (
    critical_stretches,
)
from nova_profiler.reading.requests.one_request.page_parts.marks import (
    MARKS,
)
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    Around,
    Link,
    Surroundings,
)
from nova_profiler.reading.requests.one_request.page_parts.standing import (
    Standing,
    standing_of,
)
from nova_profiler.reading.screen.html_pages import rendered_still
from nova_profiler.web.choice import Choice
from nova_profiler.web.index import Index
from nova_profiler.web.one_request.downloads import (
    BY_NAME,
    DOWNLOADS,
    Asked,
    Download,
    left_out_of_files,
)
from nova_profiler.web.one_request.log_lines import LogLines, lines_of
from nova_profiler.web.one_request.records_around import around_of
from nova_profiler.web.one_request.view import view_of
from nova_profiler.web.rows import Row
from nova_profiler.web.scripts import start_of

_PATH = re.compile(
    r"/requests/(?P<key>[0-9]+/[^/]+/[^/]+)"
    r"(?:/(?P<part>lines|as/(?P<how>[a-z]{1,20})))?"
)
_LINES = "lines"
# What is read of a file takes several times its bytes: one at a time.
_READING = threading.Lock()
# Shorter ones are in lines of others.
_ID = re.compile(r"(?:req-)?[0-9A-Za-z-]{8,64}")


class Place(NamedTuple):
    """What an address below ``requests/`` names.

    ``part`` is empty for the page itself; ``download`` is a format.
    """

    key: str
    part: str = ""
    download: Download | None = None


def place_of(path: str) -> Place | None:
    """Return what *path* names; None for what is no such address."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    how = found["how"]
    if how is not None and how not in BY_NAME:
        return None
    return Place(
        found["key"], found["part"] or "", BY_NAME[how] if how else None
    )


class OneRequest:
    """A request and what its pages show; raises DumpError if it is gone.

    *entry* is its dump, *home* is where the pages begin.
    """

    def __init__(
        self, index: Index, row: Row, entry: DumpEntry, home: str
    ) -> None:
        self._index = index
        self._row = row
        self._dump = entry.path
        self._home = home
        self.record = record_in(index.store(row), entry)
        self._skipped = Skipped()

    def html(self, parameters: Mapping[str, str]) -> str:
        """Return the page, as *parameters* of its URL would have it."""
        asked = self._asked()
        notes = [self._skipped.first] if self._skipped.count else []
        return page_of(
            self.record,
            asked.profile,
            view_of(parameters, self.record),
            self._surroundings(asked),
            notes,
        )

    def fields(self) -> dict[str, Any]:
        """Return what ``show --json`` has, and what is around the request."""
        asked = self._asked()
        fields = json_fields(asked.dump, self.record, asked.profile)
        standing, services = self._standing(), self._services()
        fields["critical_path"] = [
            one._asdict() for one in critical_stretches(self.record)
        ]
        fields["route_distribution"] = (
            None if standing is None else standing.fields()
        )
        fields["over_services"] = (
            None
            if services is None
            else figures_of(services.picture, services.notes)
        )
        fields["problem"] = self._skipped.first
        fields["downloads"] = {
            one.name: self._address(f"/as/{one.name}")
            for one in DOWNLOADS
            if one.is_there(asked)
        }
        fields["downloads_left_out"] = left_out_of_files(asked)
        if self._lines_address:
            fields["log_lines"] = self._lines_address
        return fields

    def download(self, how: Download) -> tuple[File, str] | None:
        """Return the request in a format, and a name for the file.

        None where it cannot be had in it.
        """
        asked = self._asked()
        if not how.is_there(asked):
            return None
        return how.made(asked), f"{asked.dump.stem}{how.suffix}"

    def lines(self) -> LogLines | None:
        """Return its lines in the logs; None where none can be asked for."""
        if not self._lines_address:
            return None
        return lines_of(self.record.request_id or "", self._logs)

    @property
    def _logs(self) -> list[LogFile]:
        """Return the logs that are served beside the dumps."""
        sources = self._index.sources
        return [file for one in sources for file in one.logs(self._row)[0]]

    def lines_html(self, lines: LogLines) -> str:
        """Return the page of its *lines*."""
        return rendered_still(
            "request/lines.html",
            start_of(self._home),
            title=full_title_of(self.record),
            request=self._address(),
            home=self._home,
            lines=lines,
            **MARKS,
        )

    @property
    def _lines_address(self) -> str:
        request_id = self.record.request_id or ""
        if not self._logs or not _ID.fullmatch(request_id):
            return ""
        return self._address(f"/{_LINES}")

    def _asked(self) -> Asked:
        with _READING:
            profile = profile_beside(
                self._dump, self._skipped, MOST_STACKS, self.record
            )
        return Asked(self.record, profile, self._dump, self._skipped.first)

    def _address(self, part: str = "") -> str:
        return f"{self._home}requests/{self._row.key}{part}"

    def _surroundings(self, asked: Asked) -> Surroundings:
        route = f"route{Choice(route=self._row.title).link()}"
        downloads = [Link("?format=json", "JSON")]
        downloads += [
            Link(self._address(f"/as/{one.name}"), one.words)
            for one in DOWNLOADS
            if one.is_there(asked)
        ]
        return Surroundings(
            self._home,
            [Link(self._home + route, "others of this route")],
            downloads,
            left_out_of_files(asked),
            self._lines_address,
            self._standing(),
            self._services(),
            start_of(self._home),
            # Of the folder that is served, wherever its reader stands.
            os.path.abspath(self._index.store(self._row).directory),
        )

    def _standing(self) -> Standing | None:
        title = self._row.title
        chosen = Choice(route=title).of(self._index.rows)
        durations = chosen.column("duration_ms").tolist()
        return standing_of(title, self._row.duration_ms, durations)

    def _services(self) -> Around | None:
        return around_of(
            self.record,
            self._row,
            self._index.rows,
            lambda row: f"{self._home}requests/{row.key}",
        )
