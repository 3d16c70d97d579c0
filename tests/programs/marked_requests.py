# SPDX-License-Identifier: Apache-2.0
"""Requests that each have functions of their own, under the py-spy engine.

python marked_requests.py threads|eventlet SAMPLES serves requests until there
are so many samples, for two minutes at most, and prints as JSON how many
there are, and how many stacks of a request hold a function of another one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import warnings
from typing import Any

from marks import at_once, marked, marks_in

ROUND_S = 5.0
MOST_S = 120.0
# Recordings are so short that requests are on while one follows another.
LONGEST_S = 2.0

SOURCE = """
def burn_for_{n}(seconds):
    end = clock() + seconds
    while clock() < end:
        sum(range(500))

def rest_for_{n}(seconds):
    sleep(seconds)

def handle_for_{n}(seconds):
    end = clock() + seconds
    while clock() < end:
        burn_for_{n}(0.006)
        rest_for_{n}(0.01)

def child_for_{n}(seconds):
    handle_for_{n}(seconds)
"""

# Number of the request, content of its file, profile of its dump.
Session = tuple[int, bytes, dict[str, Any]]


def main() -> None:
    mode, wanted = sys.argv[1], int(sys.argv[2])
    if mode == "eventlet":
        warnings.simplefilter("ignore")
        import eventlet

        eventlet.monkey_patch()
    from nova_profiler.capture.profilers.pyspy import schedule
    from nova_profiler.capture.profilers.pyspy.engine import engine

    schedule.LONGEST_S = LONGEST_S
    notes: list[str] = []
    made = engine(lambda *what: notes.append(str(what)))
    sessions: list[Session] = []
    deadline = time.monotonic() + MOST_S
    while _samples(sessions) < wanted and time.monotonic() < deadline:
        _serve(made, ROUND_S, sessions)
    made.close()
    made.wait_closed(20)
    seen = [
        (number, stack, time_s)
        for number, content, _ in sessions
        if content
        for stack, time_s in json.loads(content)["frame_records"]
    ]
    foreign = [
        stack for number, stack, _ in seen if marks_in(stack) != {number}
    ]
    total = sum(time_s for _, _, time_s in seen)
    waiting = sum(t for _, stack, t in seen if stack[-1] == "[waiting]")
    found = {
        "samples": _samples(sessions),
        "foreign": len(foreign),
        "first_foreign": foreign[:1],
        "children": sum("child_for_" in " ".join(s) for _, s, _ in seen),
        "waiting": round(waiting / total, 3) if total else None,
        "notes": notes,
    }
    print(json.dumps(found))


def _samples(sessions: list[Session]) -> int:
    return sum(profile["samples"] for _, _, profile in sessions)


def _serve(made: Any, seconds: float, sessions: list[Session]) -> None:
    """Have each request served again and again for *seconds*."""
    from nova_profiler.record import RequestRecord

    # Looked up now: under eventlet sleep has been exchanged.
    functions = marked(SOURCE, clock=time.perf_counter, sleep=time.sleep)

    def request(number: int, lasting: float) -> None:
        watch = made.watch(None, True, 5.0)
        began = time.perf_counter()
        child = threading.Thread(
            target=watch.spawned(functions[number][f"child_for_{number}"]),
            args=(lasting,),
        )
        child.start()
        watch.run(functions[number][f"handle_for_{number}"], lasting)
        child.join()
        record = RequestRecord()
        record.started_at = "2026-11-21T10:00:00.000000+00:00"
        record.duration_ms = (time.perf_counter() - began) * 1000
        watch.finish(record)
        record.profiled.attach(
            lambda suffix, content, profile: sessions.append(
                (number, content, profile)
            )
        )

    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        while time.perf_counter() < end:
            request(number, 0.3)

    at_once(client)


if __name__ == "__main__":
    main()
