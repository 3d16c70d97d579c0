# SPDX-License-Identifier: Apache-2.0
"""The sides A and B of ``compare``: kept runs, or logs read at once."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from nova_profiler.command_name import command_name
from nova_profiler.reading.command_line.skipped import print_unread
from nova_profiler.reading.logs import Unread
from nova_profiler.reading.runs.kept.kept_runs import KeptRuns
from nova_profiler.reading.runs.kept.run import HistoryError, Run
from nova_profiler.reading.runs.kept.store import History
from nova_profiler.reading.runs.options import entries_of_logs

_LOGS = "logs"
# Older runs show less of what is usual now, and more add no certainty.
_MOST_RUNS = 10
_MOST_NAMED = 5


class Side(NamedTuple):
    """Runs of one directory or object store, oldest first, at most ten."""

    name: str
    directory: Path | str
    runs: Sequence[Run]


class Sides:
    """Finds the sides; removes the runs that it made of logs."""

    def __init__(
        self, history: KeptRuns, stated: tuple[str, ...] = ()
    ) -> None:
        self._history = history
        # The formats of lines in logs that the user stated.
        self._stated = stated
        self._aside: list[AbstractContextManager[str]] = []

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_exc: object) -> None:
        for aside in self._aside:
            aside.__exit__(None, None, None)

    def side(self, text: str) -> Side:
        """Return the side that *text* names.

        Names of runs or patterns of them, by comma; otherwise a log.
        """
        runs: dict[str, Run] = {}
        for name in filter(None, text.split(",")):
            found = self._runs_called(name)
            if not found:
                return self._side_of_logs(text)
            runs.update((run.name, run) for run in found)
        if not runs:
            raise HistoryError(f"{text!r}: expected a run or a log")
        newest = sorted(runs.values(), key=lambda run: run.sort_key)
        return Side(text, self._history.directory, newest[-_MOST_RUNS:])

    def _runs_called(self, name: str) -> list[Run]:
        # A file and a run may have one name; ./NAME means the file.
        if "/" in name:
            return []
        if not any(letter in name for letter in "*?["):
            # Also one that cannot be read: reading it names the reason.
            is_kept = self._history.has(name)
            return [self._history.run(name)] if is_kept else []
        return self._matching(name)

    def _matching(self, pattern: str) -> list[Run]:
        """Return the runs that *pattern* means, or raise if one is damaged.

        A side without it would be another side than the user named.
        """
        runs, unreadable = [], []
        for name in self._history.names():
            if fnmatchcase(name, pattern):
                try:
                    runs.append(self._history.run(name))
                except HistoryError as exc:
                    unreadable.append(str(exc))
        if unreadable:
            raise HistoryError(
                f"{pattern}: {_listed(unreadable)}; remove what is damaged, "
                "or name the runs to compare"
            )
        return runs

    def _side_of_logs(self, path: str) -> Side:
        if path != "-" and not glob.glob(path) and not Path(path).exists():
            raise HistoryError(
                f"{path}: neither a run in {self._history.directory} nor a "
                f"log; see `{command_name()} history list`"
            )
        aside = TemporaryDirectory(prefix="nova-profiler-")
        self._aside.append(aside)
        history = History(aside.__enter__())
        unread = Unread()
        try:
            entries = entries_of_logs([path], unread, stated=self._stated)
            run, _ = history.add(_LOGS, entries)
        except HistoryError:
            raise HistoryError(f"{path}: no request in it") from None
        finally:
            print_unread(unread)
        return Side(path, history.directory, [run])


def _listed(messages: Sequence[str]) -> str:
    more = len(messages) - _MOST_NAMED
    return "; ".join(messages[:_MOST_NAMED]) + (
        f"; and {more} more" if more > 0 else ""
    )
