# SPDX-License-Identifier: Apache-2.0
"""Stacks of others: short requests, each with functions of its own colour.

python -m benchmarks.stacks.foreign threads|eventlet LOOKS prints JSON. Slots,
threads and trampolines are used again and again by requests of any colour.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.stacks.requests import served

COLOURS = 24
THREADS = 16
_INTERVAL_MS = 1.0
_MOST_S = 300.0
_SOURCE = """
def leaf_{n}(turns):
    return sum(range(turns))

def hot_{n}(turns):
    return leaf_{n}(turns)

def deep_{n}(depth, turns, switch):
    if depth:
        return deep_{n}(depth - 1, turns, switch)
    for one in range(turns):
        hot_{n}(40)
        if not one % 200:
            switch()
"""


def colours() -> list[Callable[..., Any]]:
    """Return the outermost function of each colour."""
    found: dict[str, Any] = {}
    for number in range(COLOURS):
        # A text of ours.
        exec(_SOURCE.format(n=number), found)  # noqa: S102 - as above
    return [found[f"deep_{number}"] for number in range(COLOURS)]


class Trial:
    """Requests until there are enough looks, each kept and judged."""

    def __init__(self, engine: Any, wanted: int) -> None:
        self._engine = engine
        self._wanted = wanted
        self._functions = colours()
        self._until = time.monotonic() + _MOST_S
        self.requests = self.looks = self.foreign = 0
        self.first: list[str] = []

    def is_over(self) -> bool:
        """Return whether there were enough looks, or it takes too long."""
        return self.looks >= self._wanted or time.monotonic() > self._until

    def serve(self) -> None:
        """Serve requests of all colours until the trial is over."""
        while not self.is_over():
            # Which of them follow each other is chance.
            colour = random.randrange(COLOURS)
            lasted_s = served(
                self._engine,
                _INTERVAL_MS,
                self._judge(colour),
                *(self._functions[colour], random.randrange(20, 60)),
                *(random.randrange(200, 4000), _switch),
            )
            self.requests += lasted_s is not None
            if random.random() < 0.3:
                time.sleep(0.001)

    def _judge(self, colour: int) -> Callable[..., None]:
        def attach(suffix: str, content: bytes, profile: Any) -> None:
            self.looks += profile.get("samples", 0)
            for stack, _ in json.loads(content or "{}").get(
                "frame_records", ()
            ):
                names = [frame.partition("\0")[0] for frame in stack]
                others = {
                    name
                    for name in names
                    if name.partition("_")[0] in ("leaf", "hot", "deep")
                    and name.rpartition("_")[2] != str(colour)
                }
                if others:
                    self.foreign += 1
                    self.first = self.first or names

        return attach


def _switch() -> None:
    """Let other greenthreads run; without eventlet, other threads."""
    time.sleep(0)


def main(mode: str, wanted: str) -> None:
    """Print what came of the trial."""
    if mode == "eventlet":
        import eventlet

        eventlet.monkey_patch()
    from nova_profiler.capture.profilers.stacks.engine import engine

    notes: list[str] = []
    made = engine(lambda what, error=None: notes.append(f"{what} {error}"))
    trial = Trial(made, int(wanted))
    threads = [threading.Thread(target=trial.serve) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    made.wait_closed(5)
    print(
        json.dumps(
            {
                "python": sys.version.split()[0],
                "mode": mode,
                "requests": trial.requests,
                "looks": trial.looks,
                "foreign": trial.foreign,
                "first": trial.first,
                "notes": notes[:3],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
