# SPDX-License-Identifier: Apache-2.0
"""Profiles from files: one, or many added up one after the other."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import Any

from nova_profiler.dump_store import DumpError, read_dump
from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.profiles import (
    CALLS_SUFFIX,
    CPROFILE,
    NOT_LOOKED,
    SAMPLES_SUFFIX,
    ProfileError,
)
from nova_profiler.profiles.call_graph import CallGraph
from nova_profiler.profiles.session_files import (
    Session,
    SessionError,
    read_session,
)
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.profiles.stats.stats_files import (
    Stats,
    StatsError,
    read_stats,
)
from nova_profiler.trust.files import FileError, content_of

# One profile, or many added up.
Profile = StackTree | CallGraph

SUFFIXES = (SAMPLES_SUFFIX, CALLS_SUFFIX)


def beside(dump: Path) -> Path | None:
    """Return the profile that lies beside a dump's file, if there is one.

    An empty one is none: no sample fell into a short request.
    """
    for suffix in SUFFIXES:
        path = dump.with_suffix(suffix)
        try:
            # A link may lead anywhere.
            found = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode) and found.st_size:
            return path
    return None


def load(path: Path, most_functions: int | None = None) -> Profile:
    """Return the profile in *path*, or raise ProfileError.

    Stacks have no more than *most_functions*, each below the one that called
    it; where there are more, the profile has ``cut``.
    """
    return Profiles(most_functions).add(path)


class Profiles:
    """Many profiles, added up; those of different engines stay apart.

    Their times do not go together: each slows what it looks at in its own
    way, and only some of it.
    """

    def __init__(self, most_functions: int | None = None) -> None:
        self._engines: dict[str, Profile] = {}
        self._most = most_functions

    def add(self, path: Path) -> Profile:
        """Add what is in *path*: all of it, or ProfileError and nothing.

        Returns what it was added to.
        """
        try:
            content = content_of(path)
        except FileError as exc:
            raise ProfileError(str(exc)) from exc
        if path.suffix == SAMPLES_SUFFIX:
            session = session_of(path, content, self._most)
            tree = self._engines.setdefault(
                session.engine, StackTree(session.engine, self._most)
            )
            if isinstance(tree, StackTree):
                tree.add(session)
            return tree
        if path.suffix == CALLS_SUFFIX:
            stats = stats_of(path, content)
            graph = self._engines.setdefault(CPROFILE, CallGraph())
            if isinstance(graph, CallGraph):
                graph.add(stats)
            return graph
        raise ProfileError(
            f"{path.name}: not a profile; profiles end in "
            f"{' or '.join(SUFFIXES)}"
        )

    def join(self, other: Profiles) -> None:
        """Add all that *other* has."""
        for engine, theirs in other._engines.items():
            ours = self._engines.setdefault(engine, theirs)
            if ours is theirs:
                continue
            if isinstance(ours, StackTree) and isinstance(theirs, StackTree):
                ours.join(theirs)
            if isinstance(ours, CallGraph) and isinstance(theirs, CallGraph):
                ours.join(theirs)

    def share_out_unseen(self) -> None:
        """Give what was between looks its places, once all are added up."""
        for one in self._engines.values():
            if isinstance(one, StackTree):
                one.share_out_unseen()

    @property
    def engines(self) -> list[Profile]:
        """Return what there is of each engine, most profiles first."""
        return sorted(
            self._engines.values(), key=lambda one: one.profiles, reverse=True
        )


def session_of(
    path: Path, content: bytes, most_texts: int | None = None
) -> Session:
    """Return the session that *content* of *path* is; raises ProfileError."""
    try:
        return read_session(
            content,
            lambda: _engine_beside(path),
            math.inf if most_texts is None else most_texts,
        )
    except SessionError as exc:
        raise ProfileError(f"{path.name}: {exc}") from exc


def had_no_sample(dump: Path, engine: str) -> bool:
    """Return whether a dump's request was too short for a sample.

    Of *engine*, which watches all. False where it was not at work.
    """
    return lacks_samples(_profile_in(dump), engine)


def lacks_samples(profile: dict[str, Any], engine: str) -> bool:
    """Return the same of what a record has as its ``profile``.

    False while its stacks are to come, and where the engine was not at work:
    then what the request did is not known.
    """
    if profile.get("engine") != engine or profile.get("file"):
        return False
    samples, notes = profile.get("samples"), profile.get("notes")
    if type(samples) is not int:
        return False
    # Samples without a file are of the profiler's own frames.
    return samples > 0 or NOT_LOOKED in str(notes)


def _engine_beside(path: Path) -> str | None:
    """Return the engine that the dump beside *path* names, if it does."""
    engine = _profile_in(path.with_suffix(DUMP_SUFFIX)).get("engine")
    return engine if isinstance(engine, str) else None


def _profile_in(dump: Path) -> dict[str, Any]:
    """Return what a dump has of its profile; nothing of a damaged one."""
    try:
        return read_dump(dump).profile or {}
    except DumpError:
        return {}


def stats_of(path: Path, content: bytes) -> list[Stats]:
    """Return the functions in *content* of *path*; raises ProfileError."""
    try:
        return list(read_stats(content))
    except StatsError as exc:
        raise ProfileError(f"{path.name}: {exc}") from exc
