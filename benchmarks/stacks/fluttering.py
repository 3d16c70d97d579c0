# SPDX-License-Identifier: Apache-2.0
"""A process whose stack changes all the time, below one that is deep.

python -m benchmarks.stacks.fluttering DEPTH plain|generators prints where its
thread state is, and runs until its standard input ends. A function of one
colour, a or b, only ever calls functions of its own colour: a stack with
both, or with a gap, never was.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType

PLAIN, GENERATORS = "plain", "generators"
# The reader has the other processor: both are to be at work at once.
PROCESSOR = 0
_TURNS = 200
_COLOURS = ("a", "b")

# Filled when the standard input has ended.
_over: list[None] = []


def leaf_a() -> int:
    return sum(range(50))


def leaf_b() -> int:
    return sum(range(50))


def gen_a() -> Iterator[int]:
    yield leaf_a()
    yield leaf_a()


def gen_b() -> Iterator[int]:
    yield leaf_b()
    yield leaf_b()


def hot_a() -> int:
    return leaf_a()


def hot_b() -> int:
    return leaf_b()


def hot_gen_a() -> list[int]:
    leaf_a()
    return list(gen_a())


def hot_gen_b() -> list[int]:
    leaf_b()
    return list(gen_b())


def loop(one: Callable[[], object], two: Callable[[], object]) -> None:
    while not _over:
        for _ in range(_TURNS):
            one()
            two()


def deep(
    depth: int, one: Callable[[], object], two: Callable[[], object]
) -> None:
    if depth:
        return deep(depth - 1, one, two)
    return loop(one, two)


def mark(
    depth: int, one: Callable[[], object], two: Callable[[], object]
) -> None:
    deep(depth, one, two)


def fault_of(names: list[str], depth: int) -> str | None:
    """Return what is impossible about a stack, None if it may have been."""
    if names[: depth + 2] != ["mark", *["deep"] * (depth + 1)]:
        return "not below the mark"
    if names[depth + 2 : depth + 3] not in ([], ["loop"]):
        return "no loop"
    rest = [name.removeprefix("hot_") for name in names[depth + 3 :]]
    colours = {name[-1] for name in rest}
    kinds = [name.rpartition("_")[0] or "hot" for name in rest]
    if len(colours) > 1 or colours - set(_COLOURS):
        return f"of two colours: {names[depth + 3 :]}"
    if kinds and rest[0].startswith("gen"):
        kinds[0] = "hot"
    if kinds not in _KINDS:
        return f"a gap: {names[depth + 3 :]}"
    return None


_KINDS: list[list[str]] = [
    [],
    ["hot"],
    ["hot", "leaf"],
    ["hot", "gen"],
    ["hot", "gen", "leaf"],
]


def main(depth: str, how: str) -> None:
    """Flutter until the standard input ends."""
    os.sched_setaffinity(0, {PROCESSOR})
    here = ctypes.pythonapi.PyThreadState_Get
    here.restype = ctypes.c_void_p
    print(here(), id(mark.__code__), id(CodeType), flush=True)
    watcher = threading.Thread(target=_wait_for_end, daemon=True)
    watcher.start()
    hot = (hot_a, hot_b) if how == PLAIN else (hot_gen_a, hot_gen_b)
    mark(int(depth), *hot)


def _wait_for_end() -> None:
    sys.stdin.read()
    _over.append(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
