# SPDX-License-Identifier: Apache-2.0
"""Whether switching profiles with greenlets is right in this interpreter.

It rests on how cProfile and greenlet are made, not on what they promise:
so it is tried out before the first request is profiled.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from nova_profiler.capture.profilers.cprofile.scopes import Part, Turns


class _Trial:
    """Two greenlets that switch in the middle of a call, both profiled."""

    def __init__(self, module: ModuleType, turns: Turns) -> None:
        self._turns = turns
        self.first = module.greenlet(self._run_first)
        self.second = module.greenlet(self._run_second)
        self.parts = Part(), Part()
        self.refused: str | None = None

    def _run_first(self) -> None:
        self._steps(self.parts[0], _outer_first, self.second)

    def _run_second(self) -> None:
        self._steps(self.parts[1], _outer_second, self.first)

    def _steps(
        self, part: Part, outer: Callable[[Any], None], other: Any
    ) -> None:
        # Twice, like a body: what a step leaves open must not reach the next.
        for _ in range(2):
            if self._begin(part):
                try:
                    outer(other)
                finally:
                    self._end(part)

    def _begin(self, part: Part) -> bool:
        self.refused = self.refused or self._turns.begin(part)
        return self.refused is None

    def _end(self, part: Part) -> None:
        self._turns.end(part)


def is_right(module: ModuleType, turns: Turns) -> bool | None:
    """Return whether *turns* gives each greenlet its own calls, all of them.

    None if it could not be tried, since somebody profiles already.
    """
    trial = _Trial(module, turns)
    trial.first.switch()
    while not (trial.first.dead and trial.second.dead):
        if trial.first.dead:
            trial.second.switch()
        else:
            trial.first.switch()
    if trial.refused is not None:
        return None
    return all(
        _edges(part) == _expected(outer, inner)
        for part, outer, inner in zip(
            trial.parts,
            (_outer_first, _outer_second),
            (_inner_first, _inner_second),
            strict=True,
        )
    )


def _outer_first(other: Any) -> None:
    _inner_first()
    other.switch()
    _inner_first()
    _after()


def _outer_second(other: Any) -> None:
    _inner_second()
    other.switch()
    _inner_second()
    _after()


def _inner_first() -> None:
    pass


def _inner_second() -> None:
    pass


def _after() -> None:
    _inner_last()


def _inner_last() -> None:
    pass


_OURS: dict[CodeType | str, str] = {
    function.__code__: function.__name__
    for function in (
        _outer_first,
        _outer_second,
        _inner_first,
        _inner_second,
        _after,
        _inner_last,
    )
}


def _edges(part: Part) -> dict[tuple[str, str], int]:
    """Return how often each of ours was called, and by which of ours."""
    found: dict[tuple[str, str], int] = {}
    for entry in part.profile.getstats():
        name = _OURS.get(entry.code)
        if name is None:
            continue
        found["", name] = entry.callcount
        for callee in entry.calls or ():
            called = _OURS.get(callee.code)
            if called is not None:
                found[name, called] = callee.callcount
    return found


def _expected(
    outer: Callable[[Any], None], inner: Callable[[], None]
) -> dict[tuple[str, str], int]:
    """Return the calls of two steps."""
    return {
        ("", outer.__name__): 2,
        ("", inner.__name__): 4,
        ("", "_after"): 2,
        ("", "_inner_last"): 2,
        (outer.__name__, inner.__name__): 4,
        (outer.__name__, "_after"): 2,
        ("_after", "_inner_last"): 2,
    }
