# SPDX-License-Identifier: Apache-2.0
"""Rows of which each has a number in its log or run, newest first."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from nova_profiler.web.tables import Held
from nova_profiler.web.tables.columns import Columns, id_bytes

# In the key of a row of a log.
LOG = "log"
_ID = re.compile(r"[A-Za-z0-9_-]+")
_KEY = re.compile(r"[0-9]+/([^/]+)/([0-9]{1,12})(?:\.([A-Za-z0-9_-]+))?")


class Numbered:
    """The rows of *columns*, at most *most* of them, the newest.

    A key has the number of the row and its request id. A log that was
    rotated has other numbers: then the id alone finds the row.
    """

    def __init__(
        self,
        source: int,
        columns: Columns,
        most: int | None = None,
        groups: Sequence[tuple[str, int]] = ((LOG, 0),),
    ) -> None:
        """*groups* are names for keys, each with its first row's place."""
        self._source = source
        self._groups = list(groups)
        self._starts = [start for _, start in groups]
        epochs = columns.view()["epoch_ms"]
        self._order = np.argsort(-epochs, kind="stable")[:most]
        self.columns = columns.taken(self._order)

    def held(self) -> Held:
        """Return the rows, and what makes their keys."""
        return Held(self.columns, lambda number: (self._key_of(number), None))

    def find(self, key: str) -> tuple[Held, int] | None:
        """Return the rows and the number of the one that *key* means."""
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        group, number, request_id = found.groups()
        starts = [start for name, start in self._groups if name == group]
        if not starts:
            return None
        ids = self.columns.view()["request_id"]
        wanted = id_bytes(request_id or "")
        at = np.flatnonzero(self._order == starts[0] + int(number))
        if not (len(at) and (not wanted or ids[at[0]] == wanted)):
            at = np.flatnonzero(ids == wanted) if wanted else at
        return (self.held(), int(at[0])) if len(at) else None

    def _key_of(self, number: int) -> str:
        at = int(self._order[number])
        group, start = self._groups[bisect_right(self._starts, at) - 1]
        request_id = bytes(self.columns.view()["request_id"][number]).decode()
        ending = f".{request_id}" if _ID.fullmatch(request_id) else ""
        return f"{self._source}/{group}/{at - start}{ending}"


class HasNumbered:
    """What a source answers with the rows that it has in ``_rows``."""

    _rows: Numbered

    def held(self) -> Held:
        """Return the rows that there are now."""
        return self._rows.held()

    def find(self, key: str) -> tuple[Held, int] | None:
        """Return the rows and the number of the one that *key* means."""
        return self._rows.find(key)
