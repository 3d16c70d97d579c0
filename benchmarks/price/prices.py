# SPDX-License-Identifier: Apache-2.0
"""From samples to prices, and from prices to the figures to reach."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from benchmarks.application.workloads import REPEATS
from benchmarks.contenders import CONTENDERS, REFERENCES
from benchmarks.price.measuring import Measured, Sample
from benchmarks.running.figures import Figure, Spread, spread_of

Taken = dict[str, float]


class Price(NamedTuple):
    """What a contender adds to the bare application, microseconds of CPU.

    ``statement``, ``call`` and the like are per statement and call;
    ``orm_ratio`` is the whole request with the contender over without.
    """

    request: Spread
    request_wall: Spread
    orm: Spread
    orm_ratio: Spread
    orm_bare_ratio: Spread
    statement: Spread
    statement_bare: Spread
    fetch: Spread
    call: Spread


def prices(samples: Iterable[Sample]) -> dict[str, Price]:
    """Return each contender's price.

    Every turn gives one value: the contender's batch less the median of
    the reference processes' batches of the same turn. There are three of
    them, because one process may be some percent off all its life.
    """
    cpu: dict[str, dict[tuple[int, int], Taken]] = _by_turn()
    wall: dict[str, dict[tuple[int, int], Taken]] = _by_turn()
    for sample in samples:
        turn = (sample.generation, sample.round)
        cpu[sample.contender][turn][sample.workload] = sample.cpu_us
        wall[sample.contender][turn][sample.workload] = sample.wall_us
    reference = {turn: _reference(cpu, turn) for turn in cpu[REFERENCES[0]]}
    walls = {turn: _reference(wall, turn) for turn in reference}
    return {
        name: Price(
            request=spread_of(_each(turns, reference, _added("request"))),
            request_wall=spread_of(
                _each(wall[name], walls, _added("request"))
            ),
            orm=spread_of(_each(turns, reference, _added("orm"))),
            orm_ratio=spread_of(_each(turns, reference, _ratio("orm"))),
            orm_bare_ratio=spread_of(
                _each(turns, reference, _ratio("orm-bare"))
            ),
            statement=spread_of(
                _each(turns, reference, _per("statements", "request"))
            ),
            statement_bare=spread_of(
                _each(turns, reference, _per("statements-bare", "request"))
            ),
            fetch=spread_of(
                _each(turns, reference, _per("fetches", "statements"))
            ),
            call=spread_of(_each(turns, reference, _per("calls", "request"))),
        )
        for name, turns in ((n, cpu[n]) for n in CONTENDERS if n in cpu)
    }


def values_of(measured: Measured, found: dict[str, Price]) -> dict[str, Any]:
    """Return every price and every sample, ready for JSON."""
    return {
        "prices": {
            name: {
                field: spread._asdict()
                for field, spread in row._asdict().items()
            }
            for name, row in found.items()
        },
        "seen": measured.seen,
        "datagrams": measured.datagrams,
        "samples": [sample._asdict() for sample in measured.samples],
    }


def figures(found: dict[str, Price]) -> list[Figure]:
    """Return nova-profiler's prices beside their limits."""
    rows = [
        _over(found, "request", "floor", 1.5),
        _over(found, "call", "floor", 1.5),
        _plain(found, "ours", "statement", 2.0, "us"),
        _plain(found, "ours", "statement_bare", 7.0, "us"),
        _plain(found, "ours", "orm_ratio", 1.09, "x"),
        _plain(found, "ours", "orm_bare_ratio", 1.09, "x"),
    ]
    for peer, times in (("osprofiler", 3.0), ("opentelemetry", 4.5)):
        rows += [
            _cheaper(found, field, peer, times)
            for field in ("request", "statement", "statement_bare", "call")
        ]
    return [
        *rows,
        _plain(found, "ours-off", "request", 0.5, "us"),
        _plain(found, "ours-outside", "statement", 1.0, "us"),
        _plain(found, "ours-outside", "call", 0.3, "us"),
    ]


LABELS = {
    "request": "a request",
    "statement": "a statement, engine like oslo.db's",
    "statement_bare": "a statement, bare engine",
    "call": "a DB API call",
    "orm_ratio": "the ORM request, engine like oslo.db's",
    "orm_bare_ratio": "the ORM request, bare engine",
}


def _median(found: dict[str, Price], name: str, field: str) -> float | None:
    if name not in found:
        return None
    spread: Spread = getattr(found[name], field)
    return spread.median


def _plain(
    found: dict[str, Price], name: str, field: str, limit: float, unit: str
) -> Figure:
    label = f"{name}: {LABELS[field]}"
    return Figure(label, _median(found, name, field), limit, unit)


def _over(
    found: dict[str, Price], field: str, other: str, limit: float
) -> Figure:
    value = _quotient(found, field, "ours", other)
    return Figure(f"ours over the {other}: {LABELS[field]}", value, limit, "x")


def _cheaper(
    found: dict[str, Price], field: str, peer: str, limit: float
) -> Figure:
    value = _quotient(found, field, peer, "ours")
    label = f"{peer} over ours: {LABELS[field]}"
    return Figure(label, value, limit, "x", at_least=True)


def _quotient(
    found: dict[str, Price], field: str, above: str, below: str
) -> float | None:
    dividend = _median(found, above, field)
    divisor = _median(found, below, field)
    if dividend is None or divisor is None:
        return None
    # A price near zero is noise, and so is a quotient by it.
    return dividend / divisor if divisor > 0.01 else None


def _by_turn() -> dict[str, dict[tuple[int, int], Taken]]:
    return defaultdict(lambda: defaultdict(dict))


def _reference(
    taken: dict[str, dict[tuple[int, int], Taken]], turn: tuple[int, int]
) -> Taken:
    processes = [taken[name][turn] for name in REFERENCES]
    return {
        workload: statistics.median(process[workload] for process in processes)
        for workload in processes[0]
    }


def _each(
    turns: dict[tuple[int, int], Taken],
    reference: dict[tuple[int, int], Taken],
    value: Callable[[Taken, Taken], float],
) -> list[float]:
    return [value(taken, reference[turn]) for turn, taken in turns.items()]


def _added(workload: str) -> Callable[[Taken, Taken], float]:
    return lambda own, bare: own[workload] - bare[workload]


def _ratio(workload: str) -> Callable[[Taken, Taken], float]:
    return lambda own, bare: own[workload] / bare[workload]


def _per(many: str, less: str) -> Callable[[Taken, Taken], float]:
    def value(own: Taken, bare: Taken) -> float:
        added = (own[many] - own[less]) - (bare[many] - bare[less])
        return added / REPEATS

    return value
