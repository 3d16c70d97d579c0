# SPDX-License-Identifier: Apache-2.0
"""One contender in a process of its own, asked over its pipes."""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks.application import workloads
from benchmarks.contenders import (
    CONTENDERS,
    Contender,
    Installed,
    Place,
    Seen,
    install,
)
from benchmarks.running import processes
from benchmarks.running.stack_padding import padded_call
from benchmarks.running.wsgi_client import App, get

CHECKED = ("request", "orm", "orm-bare", "statements", "fetches", "calls")
_WARM_UP = 30


class NotLiveError(Exception):
    """A contender did not record what its row in CONTENDERS promises."""


def check(contender: Contender, installed: Installed) -> dict[str, Seen]:
    """Return what *contender* records of each workload, if that is right.

    Instrumentation that is not in force costs nothing: without this check
    a price would mean nothing.
    """
    found = {}
    for name in CHECKED:
        workload = workloads.WORKLOADS[name]
        template = environ_for(name, installed)
        get(installed.app, template)
        installed.seen()
        get(installed.app, template)
        seen = installed.seen()
        expected = {
            field: getattr(workload, field) if field in contender.sees else 0
            for field in ("requests", "statements", "calls")
        }
        if seen._replace(stacks=0) != Seen(**expected):
            raise NotLiveError(
                f"{contender.name} recorded {seen} of a request of "
                f"{name!r}, expected {expected}"
            )
        found[name] = seen
    # A sampler may miss a short request: one stack in all of them is enough.
    if "stacks" in contender.sees and not any(
        seen.stacks for seen in found.values()
    ):
        raise NotLiveError(f"{contender.name} recorded no stack at all")
    return found


def environ_for(workload: str, installed: Installed) -> dict[str, Any]:
    """Return the environ of *workload* with the contender's headers."""
    return {**workloads.environ_of(workload), **dict(installed.headers)}


def batch(app: App, template: dict[str, Any], n: int) -> list[int]:
    """Return nanoseconds of CPU and of wall time that *n* requests took."""
    cpu = time.process_time_ns()
    wall = time.perf_counter_ns()
    for _ in range(n):
        get(app, template)
    wall = time.perf_counter_ns() - wall
    return [time.process_time_ns() - cpu, wall]


def main() -> None:
    """Install the contender named in argv, then answer batch by batch."""
    name, core, statsd_port, directory, words = sys.argv[1:]
    # Around a batch, not a request: padding takes room and no time.
    padded = padded_call(int(words))
    processes.pin(int(core) if core else None)
    answers = sys.stdout
    # What a contender prints must not stand between the answers.
    sys.stdout = sys.stderr
    contender = CONTENDERS[name]
    engines = workloads.engines()
    try:
        installed = install(
            contender,
            Place(
                workloads.NovaLike(engines),
                engines,
                int(statsd_port),
                Path(directory),
            ),
        )
        found = check(contender, installed)
    except Exception as exc:
        traceback.print_exc()
        print(json.dumps({"error": str(exc)}), file=answers, flush=True)
        return
    installed.settle()
    templates = {
        workload: environ_for(workload, installed)
        for workload in workloads.WORKLOADS
    }
    for template in templates.values():
        batch(installed.app, template, _WARM_UP)
    print(json.dumps({"seen": found}), file=answers, flush=True)
    for line in sys.stdin:
        workload, n = json.loads(line)
        taken = padded(batch, installed.app, templates[workload], n)
        print(json.dumps(taken), file=answers, flush=True)


if __name__ == "__main__":
    main()
