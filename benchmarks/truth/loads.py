# SPDX-License-Identifier: Apache-2.0
"""Requests whose time is known part by part, from clocks round the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks.running.stack_padding import CHUNK_WORDS, padded_call
from benchmarks.truth.clocks import CLOCKS, taken
from benchmarks.truth.orm_queries import orm_queries

# The function, and the clock, of a request as a whole.
WHOLE = "whole_request"
# Enough for the shortest function to take longer than 12 ms, the time between
# two samples: what comes after the last one of a request is lost.
_TURNS = 500_000


class Load(NamedTuple):
    """One kind of request, and the functions with known shares."""

    name: str
    parts: tuple[str, ...]
    make: Callable[[], Callable[[], None]]
    # Many small calls take the time.
    calls_often: bool = False


def plain() -> Callable[[], None]:
    """Return a request of three functions that only compute."""

    def request() -> None:
        sixty(6 * _TURNS)
        thirty(3 * _TURNS)
        ten(_TURNS)

    return request


def with_small_calls() -> Callable[[], None]:
    """Return a request whose 30 % go to a function that calls a small one.

    It measures on this machine how many such calls take 30 %.
    """
    turn_s = _seconds(sixty, 6 * _TURNS)
    call_s = _seconds(thirty_by_calls, 3 * _TURNS)
    taken()

    def request() -> None:
        sixty(6 * _TURNS)
        thirty_by_calls(int(3 * _TURNS * turn_s / call_s))
        ten(_TURNS)

    return request


def sixty(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["sixty"] += perf_counter() - began


def thirty(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["thirty"] += perf_counter() - began


def thirty_by_calls(calls: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(calls):
        value = small(value, number)
    CLOCKS["thirty_by_calls"] += perf_counter() - began


def small(value: int, number: int) -> int:
    return (value + number) % 1009


def ten(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["ten"] += perf_counter() - began


def _seconds(function: Callable[[int], None], turns: int) -> float:
    """Return how long a turn takes at least."""
    best = float("inf")
    for _ in range(3):
        began = perf_counter()
        function(turns)
        best = min(best, (perf_counter() - began) / turns)
    return best


LOADS = {
    load.name: load
    for load in (
        Load("split", ("sixty", "thirty", "ten"), plain),
        Load(
            "small-calls",
            ("sixty", "thirty_by_calls", "ten"),
            with_small_calls,
            calls_often=True,
        ),
        Load("orm", ("in_driver",), orm_queries, calls_often=True),
    )
}


def app_of(request: Callable[[], None]) -> Callable[..., Iterable[bytes]]:
    """Return an application that serves *request*, all of it on a clock.

    The request begins a chunk of its own on Python's frame stack. Its time
    would depend on the number of frames below it, which differs from
    profiler to profiler; see stack_padding.
    """
    in_own_chunk = padded_call(CHUNK_WORDS)

    def whole_request(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        began = perf_counter()
        in_own_chunk(request)
        start_response("200 OK", [("Content-Type", "text/plain")])
        CLOCKS[WHOLE] += perf_counter() - began
        return [b"ok"]

    return whole_request
