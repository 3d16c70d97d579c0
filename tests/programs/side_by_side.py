# SPDX-License-Identifier: Apache-2.0
"""Sixteen requests at once, each of functions of its own, profiled.

    python side_by_side.py threads|eventlet

Prints as JSON how many samples have only their own request's functions.
"""

from __future__ import annotations

import json
import sys
import warnings

if "eventlet" in sys.argv:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
    eventlet.monkey_patch()

import threading
import time
from typing import Any

from marks import REQUESTS, at_once, marked, marks_in
from serving import Profiled

from nova_profiler.capture.current import LaneCall, current_lane
from nova_profiler.capture.profilers.pyinstrument.engine import engine

ROUNDS = 30
# How many samples are enough, and how often all are served for them: on a
# quick machine, or one with much else to do, a request has few.
SAMPLES = 100
MOST_TIMES = 20

SOURCE = """
def inner_for_{n}():
    for _ in range(300):
        sum(range(300))

def outer_for_{n}(rounds):
    for _ in range(rounds):
        inner_for_{n}()
        sleep(0)
"""
FUNCTIONS = marked(SOURCE, sleep=time.sleep)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    """Work by the number in the path: here, beside, in the body."""
    number = int(environ["PATH_INFO"][1:])
    work = FUNCTIONS[number][f"outer_for_{number}"]
    start_response("200 OK", [])
    beside = threading.Thread(
        target=LaneCall(current_lane().capture, work), args=(ROUNDS,)
    )
    beside.start()
    work(ROUNDS)
    beside.join()

    def body() -> Any:
        for _ in range(3):
            work(ROUNDS // 3)
            yield b"x"

    return body()


def main() -> None:
    """Serve all at once and print what is in their stacks."""
    over = Profiled(
        app,
        load=lambda name, note: engine(note),
        profiler="pyinstrument",
        profile_when=("always",),
        profiler_interval_ms=1.0,
    )
    left: list[object] = []

    def ask(number: int) -> None:
        over.get(f"/{number}")
        left.append(sys.getprofile())

    own = foreign = served = 0
    while own <= SAMPLES and served < MOST_TIMES:
        at_once(ask)
        for record in over.records[served * REQUESTS :]:
            for stack in stacks_of(record):
                marks = marks_in(stack)
                own += bool(marks)
                foreign += bool(marks - {int(record.path[1:])})
        served += 1
    # Greenthreads share their thread's: only the last one is to find none.
    left = [sys.getprofile()] if "eventlet" in sys.modules else left
    found = {
        "served": served,
        "requests": len(over.records),
        "without_samples": sum(
            not stacks_of(record) for record in over.records
        ),
        "own": own,
        "foreign": foreign,
        "left": sum(one is not None for one in left),
        "failures": over.failures.counts(),
    }
    print(json.dumps(found))


def stacks_of(record: Any) -> list[list[str]]:
    """Return the functions' names of each of the record's stacks."""
    kept: list[bytes] = []
    if record.profiled is not None:
        record.profiled.attach(lambda suffix, content, _: kept.append(content))
    return [
        [frame.partition("\x00")[0] for frame in stack]
        for content in kept
        for stack, _ in json.loads(content)["frame_records"]
    ]


if __name__ == "__main__":
    main()
