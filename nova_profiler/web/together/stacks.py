# SPDX-License-Identifier: Apache-2.0
"""The stacks of many requests, those of each engine added up."""

from __future__ import annotations

from nova_profiler.profiles import PYSPY, STACKS
from nova_profiler.profiles.call_graph import CallGraph
from nova_profiler.profiles.loading import Profile, lacks_samples
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code.diff import OWN, ProfileSet
from nova_profiler.reading.requests.one_request.loading import (
    MOST_FUNCTIONS,
)
from nova_profiler.record import RequestRecord

# Engines that watch every request, so that some have no sample.
_WATCH_ALL = (STACKS, PYSPY)


class Stacks:
    """What one engine saw: ``functions`` by request, and all as a whole."""

    def __init__(self, first: Profile) -> None:
        self.functions = ProfileSet(first.engine, first.kind)
        self.whole: Profile = (
            StackTree(first.engine, MOST_FUNCTIONS)
            if isinstance(first, StackTree)
            else CallGraph()
        )

    @property
    def tree(self) -> StackTree | None:
        """Return the whole as a tree; None of counted calls."""
        return self.whole if isinstance(self.whole, StackTree) else None

    @property
    def engine(self) -> str:
        """Return the engine's name."""
        return self.functions.engine

    @property
    def requests(self) -> int:
        """Return how many requests it saw, with and without samples."""
        return self.functions.requests

    def add(self, profile: Profile) -> None:
        """Add the stacks of one request."""
        self.functions.add(profile, OWN)
        if isinstance(self.whole, StackTree):
            if isinstance(profile, StackTree):
                self.whole.join(profile)
        elif isinstance(profile, CallGraph):
            self.whole.join(profile)


class StacksByEngine:
    """The stacks of some requests."""

    def __init__(self) -> None:
        self.profiles = 0
        self._engines: dict[str, Stacks] = {}
        self._without = dict.fromkeys(_WATCH_ALL, 0)

    def add(self, profile: Profile) -> None:
        """Add the stacks of one request."""
        self.profiles += 1
        known = self._engines.get(profile.engine)
        if known is None:
            known = self._engines[profile.engine] = Stacks(profile)
        known.add(profile)

    def add_without(self, record: RequestRecord) -> None:
        """Add a request that has no stacks beside its dump."""
        for engine in _WATCH_ALL:
            if lacks_samples(record.profile or {}, engine):
                self._without[engine] += 1

    @property
    def watches_all(self) -> bool:
        """Return whether an engine watched requests that have no sample."""
        return any(self._without.values())

    def engines(self) -> dict[str, Stacks]:
        """Return what there is of each engine, most requests first."""
        for engine, number in self._without.items():
            if engine in self._engines:
                self._engines[engine].functions.add_without_samples(number)
            self._without[engine] = 0
        for one in self._engines.values():
            if one.tree is not None:
                one.tree.share_out_unseen()
        return dict(
            sorted(self._engines.items(), key=lambda one: -one[1].requests)
        )
