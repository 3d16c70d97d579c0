# SPDX-License-Identifier: Apache-2.0
"""One contender in a process of its own, on any Python; prints JSON."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.running.wsgi_client import App, get

# Milliseconds between samples of those that can be had so often.
_INTERVAL_MS = {"stacks": 2.0}
# The modules that this needs.
NEEDED = ("eventlet", "oslo_config", "pyinstrument", "sqlalchemy")


def environ_of(path: str) -> dict[str, Any]:
    """Return the environ of a request."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8774",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }


def ask(app: App, path: str) -> None:
    """Ask *app* for *path* and read the answer to its end."""
    get(app, environ_of(path))


def _place_of_dumps() -> tempfile.TemporaryDirectory[str]:
    """Return a directory that is removed once the profiles were read.

    A dump that the filter's thread writes meanwhile may stay behind.
    """
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def shares(name: str, load_name: str, seconds: float) -> dict[str, Any]:
    """Return the true shares of a load's parts, and those in profiles.

    Each profiled request is followed by one without a profiler, because
    clocks in a profiled request would measure the profiler, too.
    """
    from benchmarks.truth import loads
    from benchmarks.truth.clocks import taken
    from benchmarks.truth.contenders import contender
    from benchmarks.truth.profiles import shares as shares_of

    load = loads.LOADS[load_name]
    bare = loads.app_of(load.make())
    with _place_of_dumps() as directory:
        watched = contender(
            name, bare, _INTERVAL_MS.get(name, 10.0), Path(directory)
        )
        ask(bare, "/truth")
        ask(watched.app, "/warm-up")
        truth: dict[str, list[float]] = {part: [] for part in load.parts}
        end = time.monotonic() + seconds
        taken()
        while time.monotonic() < end:
            ask(watched.app, "/truth")
            taken()
            ask(bare, "/truth")
            clocks = taken()
            for part in load.parts:
                share = 100 * clocks[part] / clocks[loads.WHOLE]
                truth[part].append(share)
        profiles = [one for one in watched.profiles() if one.path == "/truth"]
    return {
        # The median, because other work of the machine may hit any request.
        "truth": {part: statistics.median(truth[part]) for part in truth},
        "shares": shares_of(
            [one.found for one in profiles], load.parts, loads.WHOLE
        ),
        "samples": sum(
            number
            for one in profiles
            for functions, number in one.found.samples
            if loads.WHOLE in functions
        ),
        "profiles": len(profiles),
        "notes": sorted({note for one in profiles for note in one.notes}),
    }


def foreign(
    name: str, mode: str, seconds: float, interval_ms: float
) -> dict[str, Any]:
    """Return how much of other requests is in the profiles of each."""
    if mode == "eventlet":
        import eventlet

        eventlet.monkey_patch()
    from benchmarks.truth import marks
    from benchmarks.truth.contenders import contender
    from benchmarks.truth.profiles import counted

    with _place_of_dumps() as directory:
        watched = contender(
            name, marks.marked_app, interval_ms, Path(directory)
        )
        requests = marks.serve_all(
            lambda path: ask(watched.app, path), seconds, mode == "eventlet"
        )
        profiles = watched.profiles()
        without = watched.without()
    found = [
        (
            one,
            *counted(
                one.found,
                int(one.path.rpartition("/")[2]),
                marks.mark_of,
            ),
        )
        for one in profiles
    ]
    return {
        "requests": requests,
        "profiles": len(profiles),
        "without": without,
        "errors": len(watched.errors),
        "samples": sum(marked for _, marked, _ in found),
        "foreign": sum(wrong for _, _, wrong in found),
        # Of those in a dump with a note that calls of others are mixed in.
        "noted": sum(
            wrong
            for one, _, wrong in found
            if any("mixed in" in note for note in one.notes)
        ),
    }


def main() -> None:
    """Do what argv asks for."""
    answers = sys.stdout
    # What a profiler prints must not stand between the answers.
    sys.stdout = sys.stderr
    what, name, *more = sys.argv[1:]
    if what == "shares":
        load, seconds = more
        answer = shares(name, load, float(seconds))
    else:
        mode, seconds, interval_ms = more
        answer = foreign(name, mode, float(seconds), float(interval_ms))
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
