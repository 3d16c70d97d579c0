# SPDX-License-Identifier: Apache-2.0
"""Two slow requests at once, in threads, under the whole filter.

    python two_at_once.py stacks|pyinstrument|cprofile DIRECTORY

Prints as JSON what is in each dump, and which functions its stacks have.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from serving import PLAIN, served

from nova_profiler.factory import filter_factory
from nova_profiler.profiles.loading import Profiles

SIDES = ("left", "right")
# The reader begins with the first request: it sees a part of it, or nothing.
ROUNDS = {"stacks": 5}
WORK_S = 0.6
WAIT_S = 40.0


def left(end: float) -> None:
    while time.monotonic() < end:
        spin()


def right(end: float) -> None:
    while time.monotonic() < end:
        spin()


def spin() -> None:
    sum(range(500))


def main() -> None:
    """Serve both at once; print what is in their dumps."""
    engine, directory = sys.argv[1], Path(sys.argv[2])
    both = threading.Barrier(2, timeout=30)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        both.wait()
        work = {"/left": left, "/right": right}[environ["PATH_INFO"]]
        work(time.monotonic() + WORK_S)
        both.wait()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    filtered = filter_factory(
        {},
        profiler=engine,
        profile_when="always",
        slow_ms="100",
        dump_dir=str(directory),
        hooks="threads",
        log_requests="false",
    )(app)
    for _ in range(ROUNDS.get(engine, 1)):
        threads = [
            threading.Thread(target=served, args=(filtered, f"/{side}"))
            for side in SIDES
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps(dumps_in(directory)))


def dumps_in(directory: Path) -> list[dict[str, Any]]:
    """Return what is in the dumps, once no stacks are to follow."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        dumps = sorted(directory.glob("[0-9]*/*.json"))
        if not any("stacks follow" in dump.read_text() for dump in dumps):
            break
        time.sleep(0.2)
    return [of_dump(dump) for dump in dumps]


def of_dump(dump: Path) -> dict[str, Any]:
    """Return what is in a dump, and the sides of the functions in it."""
    record = json.loads(dump.read_text())
    sides: set[str] = set()
    if record["profile"]["file"]:
        profiles = Profiles()
        profiles.add(dump.with_name(record["profile"]["file"]))
        for engine in profiles.engines:
            names = {row.function.name for row in engine.rows()}
            sides |= names & set(SIDES)
    return {
        "side": record["path"][1:],
        "sides": sorted(sides),
        "profile": record["profile"],
    }


if __name__ == "__main__":
    main()
