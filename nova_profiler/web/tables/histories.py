# SPDX-License-Identifier: Apache-2.0
"""The rows of a history: all requests of the runs that it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nova_profiler.errors import NovaProfilerError, missing_extra
from nova_profiler.web.rows import Row
from nova_profiler.web.tables import State
from nova_profiler.web.tables.columns import Columns
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.names import Names
from nova_profiler.web.tables.numbered import HasNumbered, Numbered

if TYPE_CHECKING:
    from nova_profiler.reading.logs.files.sources import Source as LogFile
    from nova_profiler.reading.runs.kept.run import Run

_MOST_NAMED = 10


class HistorySource(HasNumbered):
    """The requests of all runs of one history; see ``Source``."""

    def __init__(
        self, number: int, path: str, names: Names, keeper: Keeper
    ) -> None:
        """Raise NovaProfilerError where its extra is not installed.

        Parquet is read quicker than rows that were kept would be, so that
        *keeper* keeps none.
        """
        try:
            from nova_profiler.web.tables import parquet
        except ImportError as exc:
            raise missing_extra(
                f"{path}: a history needs {exc.name}", "history"
            ) from exc
        self.version = 0
        self.state = State()
        self.path = self.title = path
        self._parquet = parquet
        self._number = number
        self._names = names
        self._room = 0
        self._runs: list[Run] = []
        self._found: list[Run] | None = None
        self._problems: list[str] = []
        self._rows = Numbered(number, Columns(names))

    def logs(self, row: Row) -> tuple[list[LogFile], list[str]]:
        """Return the names of the logs that the row's run was made of."""
        name = row.key.split("/")[1]
        return [], [
            source
            for run in self._runs
            if run.name == name
            for source in run.sources[:_MOST_NAMED]
        ]

    def look_up(self, room: int) -> None:
        """Find the runs; those that cannot be read are problems."""
        self._room = room
        self._problems = []
        self._found = self._parquet.runs_in(Path(self.path), self._problems)
        is_new = self._found != self._runs or not self.state.named
        self.state = self.state._replace(
            named=True, activity=f"reading {self.path}" if is_new else ""
        )

    def read_on(self) -> None:
        """Read all runs, where there are others than before."""
        found = self._found
        if found is None or not self.state.activity:
            return
        columns = Columns(self._names)
        groups: list[tuple[str, int]] = []
        wanted = left_out = 0
        # The newest runs first, should there be no room for all.
        for run in reversed(found):
            wanted += run.requests
            if columns.count + run.requests > self._room:
                left_out += run.requests
                continue
            start = columns.count
            try:
                for arrays in self._parquet.arrays_of_run(
                    Path(self.path), run, self._names, self._room - start
                ):
                    columns.extend(arrays)
            except NovaProfilerError as exc:
                self._problems.append(str(exc))
                columns.cut(start)
                continue
            groups.append((run.name, start))
            share = 100 * (columns.count + left_out) // max(1, wanted)
            self.state = self.state._replace(
                activity=f"reading {self.path}: run {run.name}, {share} %"
            )
        self._rows = Numbered(self._number, columns, groups=groups)
        self._runs = found
        self.version += 1
        self.state = State(
            True, columns.count, left_out, tuple(self._problems)
        )
