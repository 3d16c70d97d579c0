# SPDX-License-Identifier: Apache-2.0
"""How many looks a slow request has, at the reader's own pace.

python -m benchmarks.stacks.looks REQUESTS AT_ONCE BESIDE prints JSON. Requests
of 0.3 to 3 s, so many at a time, work and wait in turn in stacks as deep as
nova's. So do short ones BESIDE them, one after the other in so many threads.
The stacks of all are kept, so that the reader answers for each.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.stacks.requests import served

SHORTEST_S, LONGEST_S = 0.3, 3.0
# Of those beside, before each.
_PAUSE_S = 0.05
# What one without the engine begins with: the first requests of a worker are
# seen once the reader has begun.
_WARM_UP_S = 2.0
# Of its time, so that all threads together leave the processors some.
_WORK = 0.1
_STEP_S = 0.01


def deep(depth: int, until: float) -> None:
    """Work and wait in turn, below *depth* calls, until that time."""
    if depth:
        return deep(depth - 1, until)
    while time.monotonic() < until:
        _work(time.monotonic() + _STEP_S * _WORK)
        time.sleep(_STEP_S * (1 - _WORK) * random.random() * 2)
    return None


def _work(until: float) -> None:
    while time.monotonic() < until:
        sum(range(200))


class Trial:
    """Requests until there were enough; what each took, and its looks."""

    def __init__(self, engine: Any, wanted: int) -> None:
        self._engine = engine
        self._wanted = wanted
        self._begun = 0
        self._lock = threading.Lock()
        # Seconds of each, and its looks, which the reader answers later.
        self.found: list[tuple[float, list[int]]] = []
        self.beside = 0
        self._is_over = False

    def serve(self) -> None:
        """Serve requests until enough have begun."""
        while self._may_begin():
            seconds = random.uniform(SHORTEST_S, LONGEST_S)
            looks: list[int] = []
            lasted_s = served(
                *(self._engine, 0.0, _counting(looks), deep),
                *(random.randrange(30, 80), time.monotonic() + seconds),
            )
            if lasted_s is not None:
                self.found.append((lasted_s, looks))

    def serve_beside(self) -> None:
        """Serve short requests until over() is called."""
        while not self._is_over:
            until = time.monotonic() + random.uniform(0, 2) * _PAUSE_S
            call = deep, random.randrange(30, 80), until
            if served(self._engine, 0.0, _counting([]), *call) is not None:
                with self._lock:
                    self.beside += 1
            time.sleep(_PAUSE_S)

    def over(self) -> None:
        """Have no more requests served beside."""
        self._is_over = True

    def _may_begin(self) -> bool:
        with self._lock:
            self._begun += 1
            return self._begun <= self._wanted


def _counting(looks: list[int]) -> Callable[..., None]:
    def attach(suffix: str, content: bytes, profile: Any) -> None:
        looks.append(profile.get("samples", 0))

    return attach


def main(wanted: str, at_once: str, beside: str) -> None:
    """Print what came of the trial."""
    from nova_profiler.capture.profilers.stacks.engine import engine

    notes: list[str] = []
    made = engine(lambda what, error=None: notes.append(f"{what} {error}"))
    began = time.monotonic()
    until = began + _WARM_UP_S
    while time.monotonic() < until:
        served(made, 0.0, _counting([]), deep, 30, time.monotonic() + 0.1)
    trial = Trial(made, int(wanted))
    _run_all(trial, int(at_once), int(beside))
    lasted_s = time.monotonic() - began
    made.close()
    made.wait_closed(5)
    looks = [(seconds, sum(looks)) for seconds, looks in trial.found]
    of_a_second = sorted(number for seconds, number in looks if seconds >= 1)
    print(
        json.dumps(
            {
                "python": sys.version.split()[0],
                "at_once": int(at_once),
                "beside_s": round(trial.beside / lasted_s, 1),
                "requests": len(trial.found),
                "without": sum(not number for _, number in looks),
                "of_a_second": len(of_a_second),
                "fewest": min(of_a_second, default=0),
                "median": statistics.median(of_a_second or [0]),
                "reader": round(_children_s() / lasted_s, 4),
                "notes": notes[:3],
            }
        )
    )


def _run_all(trial: Trial, at_once: int, beside: int) -> None:
    """Serve all requests of *trial*, in threads."""
    short = [
        threading.Thread(target=trial.serve_beside) for _ in range(beside)
    ]
    threads = [threading.Thread(target=trial.serve) for _ in range(at_once)]
    for thread in (*short, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    trial.over()
    for thread in short:
        thread.join()


def _children_s() -> float:
    """Return what the reader took of a processor, which has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
