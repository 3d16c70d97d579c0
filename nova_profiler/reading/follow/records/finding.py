# SPDX-License-Identifier: Apache-2.0
"""The records among what ``follow`` is given: dumps, and log_file lines."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nova_profiler.dump_store import DumpError
from nova_profiler.reading.follow.search.search import FollowedRequest
from nova_profiler.reading.logs.files.sources import DUMP, Source, head_of
from nova_profiler.reading.logs.forms.own_log_lines import LOGGER
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.over_services.picture import Picture, picture_of
from nova_profiler.reading.over_services.search.asked import asked_for
from nova_profiler.reading.over_services.search.finding import RecordSearch
from nova_profiler.reading.over_services.search.places import dump_directories


class Records:
    """The records of a request in folders of dumps and in logs.

    ``unread`` is *unread* without dumps, if there are directories of them.
    """

    def __init__(
        self, paths: Sequence[str], sources: Sequence[Source], unread: Unread
    ) -> None:
        left_out: list[str] = []
        self._directories = dump_directories(
            [path for path in paths if os.path.isdir(path)],
            left_out,
            are_some=False,
        )
        self._sources = sources
        self.unread = _without_dumps(unread) if self._directories else unread
        for message in left_out:
            self._add(message)

    @property
    def has_dumps(self) -> bool:
        """Return whether there is a dump directory."""
        return bool(self._directories)

    def id_of(self, text: str) -> str | None:
        """Return the id of the request that *text* means, None for none.

        Raises DumpError where several begin so.
        """
        try:
            return asked_for(text, self._directories).request_id
        except DumpError as exc:
            if "give" in str(exc):
                raise
            return None

    def picture_of(self, request: FollowedRequest) -> Picture | None:
        """Return the picture of all records of a request, None of none.

        Logs in which no line of it is a record are not read again.
        """
        named = {
            line.source for line in request.lines if line.logger == LOGGER
        }
        sources = [
            source
            for source in self._sources
            if source.name in named and head_of(source, 1) == b"{"
        ]
        search = RecordSearch(self._directories, sources, self._add)
        served = search.find(request.request_id).served
        return picture_of(request.request_id, served) if served else None

    def _add(self, message: str) -> None:
        self.unread.add("dump or record that cannot be read", message)


def _without_dumps(unread: Unread) -> Unread:
    """Return what *unread* has besides dumps, which are read as records."""
    kept = Unread()
    for kind, count, example in unread:
        if kind != DUMP:
            kept.add(kind, example, count)
    return kept
