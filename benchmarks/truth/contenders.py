# SPDX-License-Identifier: Apache-2.0
"""The engines and their peers, each round an application."""

from __future__ import annotations

import cProfile
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.running.wsgi_client import App
from benchmarks.truth.profiles import Found, of_file, of_records, of_stats

# Stacks follow when the reader has answered.
_WAIT_S = 60.0
_LOOK_S = 0.5


class Profile(NamedTuple):
    """The profile of the request of a path, and the notes of its dump."""

    path: str
    found: Found
    notes: tuple[str, ...] = ()


class Contender:
    """An engine in place round an application."""

    def __init__(self, app: App) -> None:
        self.app = app
        # Requests that went wrong since they were profiled.
        self.errors: list[str] = []

    def profiles(self) -> list[Profile]:
        """Return what was recorded, once all of it is there."""
        raise NotImplementedError

    def without(self) -> int:
        """Return how many requests have no profile."""
        return 0


class Ours(Contender):
    """The filter with one of its engines, read from its dumps."""

    def __init__(
        self, app: App, engine: str, interval_ms: float, directory: Path
    ) -> None:
        from nova_profiler.factory import filter_factory

        filtered: App = filter_factory(
            {},
            profiler=engine,
            profiler_interval_ms=str(interval_ms),
            profile_when="always",
            dump_dir=str(directory),
            dump_when="all",
            dump_max_files="1000000",
            dump_max_mb="100000",
            hooks="threads",
            log_requests="false",
        )(app)
        super().__init__(filtered)
        self._directory = directory
        self._without = 0

    def profiles(self) -> list[Profile]:
        """Return what lies in the dump directory."""
        self._await_files()
        found = []
        for path in self._dumps():
            record = json.loads(path.read_text())
            profile = record["profile"] or {}
            file = path.with_name(profile.get("file") or "none")
            if not file.exists() or not file.stat().st_size:
                self._without += 1
                continue
            notes = tuple(profile["notes"])
            found.append(Profile(record["path"], of_file(file), notes))
            file.unlink()
        return found

    def without(self) -> int:
        """Return how many dumps have no stacks."""
        return self._without

    def _await_files(self) -> None:
        """Wait until all stacks have come."""
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end and self._are_to_come():
            time.sleep(_LOOK_S)

    def _are_to_come(self) -> bool:
        return any(
            "stacks follow" in path.read_text() for path in self._dumps()
        )

    def _dumps(self) -> list[Path]:
        return sorted(self._directory.glob("[0-9]*/*.json"))


class OwnPyinstrument(Contender):
    """pyinstrument as its manual has it: one Profiler a request."""

    def __init__(self, app: App, interval_ms: float) -> None:
        from pyinstrument import Profiler

        super().__init__(self._serve)
        self._inner = app
        self._interval_s = interval_ms / 1000
        self._profiler = Profiler
        self._sessions: list[tuple[str, Any]] = []

    def _serve(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        profiler = self._profiler(interval=self._interval_s)
        profiler.start()
        try:
            return list(self._inner(environ, start_response))
        finally:
            self._sessions.append((environ["PATH_INFO"], profiler.stop()))

    def profiles(self) -> list[Profile]:
        """Return what is in the sessions."""
        return [
            Profile(path, of_records(one.frame_records, self._interval_s))
            for path, one in self._sessions
        ]


class BareCprofile(Contender):
    """cProfile between enable() and disable(), as many middlewares do."""

    def __init__(self, app: App) -> None:
        super().__init__(self._serve)
        self._inner = app
        self._tables: list[tuple[str, Any]] = []

    def _serve(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        profile = cProfile.Profile()
        try:
            profile.enable()
        except ValueError as exc:
            self.errors.append(str(exc))
            return list(self._inner(environ, start_response))
        try:
            return list(self._inner(environ, start_response))
        finally:
            profile.disable()
            profile.snapshot_stats()
            self._tables.append((environ["PATH_INFO"], profile.stats))

    def profiles(self) -> list[Profile]:
        """Return what is in the tables."""
        return [Profile(path, of_stats(table)) for path, table in self._tables]


ENGINES = ("stacks", "pyinstrument", "cprofile")
PEERS = ("pyinstrument's own", "bare cProfile")


def contender(
    name: str, app: App, interval_ms: float, directory: Path
) -> Contender:
    """Return the engine or peer *name* in place round *app*."""
    if name in ENGINES:
        return Ours(app, name, interval_ms, directory)
    if name == "bare cProfile":
        return BareCprofile(app)
    return OwnPyinstrument(app, interval_ms)
