# SPDX-License-Identifier: Apache-2.0
"""Runs made up for tests: entries, and runs kept from them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from nova_profiler.reading.logs import AccessEntry
from nova_profiler.reading.runs.kept.store import History

START = 1_763_000_000.0


def entry(ms=12.5, route="/v2.1/servers", at=START, **fields) -> AccessEntry:
    values = {
        "form": "oslo",
        "service": "nova-api",
        "method": "GET",
        "status": 200,
        **fields,
    }
    return AccessEntry(ms=ms, route=route, at=at, **values)


def run_of(
    seed: int,
    *,
    routes: int = 30,
    calls: int = 200,
    slowed: float = 1.0,
    spread: float = 0.25,
    day: int = 0,
    digits: int = 3,
) -> Iterator[AccessEntry]:
    """Yield a run of *routes* routes, each with a level of its own.

    Times are lognormal, as answers of a service mostly are. The run as a
    whole and each route in it wobble by their own factors; the route
    ``/r7`` is *slowed* on top.
    """
    levels = random.Random(0)
    chance = random.Random(seed)
    machine = math.exp(chance.gauss(0, 0.03))
    for number in range(routes):
        level = math.exp(levels.gauss(4, 1)) * machine
        level *= math.exp(chance.gauss(0, 0.01))
        level *= slowed if number == 7 else 1
        for call in range(calls):
            yield entry(
                round(level * math.exp(chance.gauss(0, spread)), digits),
                f"/r{number}",
                START + 86400 * day + call,
            )


def kept(directory, **runs) -> History:
    """Return a history of *runs*: name to entries."""
    history = History(directory)
    for name, entries in runs.items():
        history.add(name.replace("_", "-"), entries)
    return history


def four_runs(directory) -> str:
    """Keep four runs in *directory*, and return it; in the last /r7 is slower.

    For engines that read the whole directory: one was being added.
    """
    kept(
        directory,
        n1=run_of(1, calls=60),
        # Whole milliseconds: many ties.
        n2=run_of(2, calls=60, day=1, digits=0),
        n3=run_of(3, calls=60, day=2),
        slow=run_of(4, calls=60, day=3, slowed=1.6),
    )
    (directory / ".adding-n4-0").mkdir()
    return str(directory)


def log_text(entries) -> str:
    """Return *entries* as a service of today logs them."""
    return "".join(
        f"2026-11-21 10:{index // 60000:02d}:{index // 1000 % 60:02d}."
        f"{index % 1000:03d} 7 INFO nova.osapi_compute.wsgi.server "
        f"[req-{index:08d}-0000-4000-8000-000000000000 u p - - -] "
        f'10.0.0.1 "{one.method} /v2.1{one.route} HTTP/1.1" status: '
        f"{one.status} len: 9 time: {one.ms / 1000:.7f}\n"
        for index, one in enumerate(entries)
    )


def alike(one: object, other: object) -> bool:
    """Return whether JSON values are the same but for the last bits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            alike(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other
