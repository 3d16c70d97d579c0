# SPDX-License-Identifier: Apache-2.0
"""Requests that each have functions of their own, under the py-spy engine.

python marked_requests.py threads|eventlet SAMPLES serves requests until there
are so many samples, for two minutes at most, and prints as JSON how many
there are, and how many stacks of a request hold a function of another one.
Run by test_pyspy_samples and by hand.
"""

from __future__ import annotations

import json
import re
import sys
import time
import warnings

REQUESTS = 16
ROUND_S = 3.0
MOST_S = 120.0
_MARK = re.compile(r"(?:burn|rest|handle|child)_(\d+)")

SOURCE = """
def burn_{n}(seconds):
    end = clock() + seconds
    while clock() < end:
        sum(range(500))

def rest_{n}(seconds):
    sleep(seconds)

def handle_{n}(seconds):
    end = clock() + seconds
    while clock() < end:
        burn_{n}(0.006)
        rest_{n}(0.01)

def child_{n}(seconds):
    handle_{n}(seconds)
"""


def main() -> None:
    mode, wanted = sys.argv[1], int(sys.argv[2])
    if mode == "eventlet":
        warnings.simplefilter("ignore")
        import eventlet

        eventlet.monkey_patch()
    from nova_profiler.capture.profilers.pyspy import engine as pyspy_samples

    notes: list[tuple[object, ...]] = []
    engine = pyspy_samples.engine(lambda *what: notes.append(what))
    sessions: list[tuple[int, bytes, dict[str, object]]] = []
    deadline = time.monotonic() + MOST_S
    while _samples(sessions) < wanted and time.monotonic() < deadline:
        _serve(engine, ROUND_S, sessions)
    engine.close()
    engine.wait_closed(20)
    seen = [
        (number, stack, time_s)
        for number, content, _ in sessions
        if content
        for stack, time_s in json.loads(content)["frame_records"]
    ]
    foreign = [
        stack
        for number, stack, _ in seen
        if {int(mark) for mark in _MARK.findall(" ".join(stack))} != {number}
    ]
    total = sum(time_s for _, _, time_s in seen)
    waiting = sum(t for _, stack, t in seen if stack[-1] == "[waiting]")
    json.dump(
        {
            "python": sys.version.split()[0],
            "mode": mode,
            "sessions": sum(bool(content) for _, content, _ in sessions),
            "samples": _samples(sessions),
            "foreign": len(foreign),
            "first_foreign": foreign[:1],
            "children": sum("child_" in " ".join(s) for _, s, _ in seen),
            "waiting": round(waiting / total, 3) if total else None,
            "notes": notes and [str(note) for note in notes],
        },
        sys.stdout,
    )


def _samples(sessions):
    return sum(profile["samples"] for _, _, profile in sessions)


def _serve(engine, seconds, sessions):
    import threading

    from nova_profiler.record import RequestRecord

    space: dict[str, object] = {
        "clock": time.perf_counter,
        "sleep": time.sleep,
    }
    for number in range(REQUESTS):
        exec(SOURCE.format(n=number), space)

    def keep(number):
        def attach(suffix, content, profile):
            sessions.append((number, content, profile))
            return True

        return attach

    def request(number, lasting):
        watch = engine.watch(None, True, 5.0)
        began = time.perf_counter()
        handle = space[f"handle_{number}"]
        child = threading.Thread(
            target=watch.spawned(space[f"child_{number}"]), args=(lasting,)
        )
        child.start()
        watch.run(handle, lasting)
        child.join()
        record = RequestRecord()
        record.started_at = "2026-11-21T10:00:00.000000+00:00"
        record.duration_ms = (time.perf_counter() - began) * 1000
        watch.finish(record)
        record.profiled.attach(keep(number))

    end = time.perf_counter() + seconds

    def client(number):
        while time.perf_counter() < end:
            request(number, 0.3)

    threads = [
        threading.Thread(target=client, args=(number,))
        for number in range(REQUESTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
