# SPDX-License-Identifier: Apache-2.0
"""Other projects' real APIs, asked with the filter and without.

    python -m tests.other_services [NAME]...

Each has an environment of its own, a database, and the same requests twice.
Prints what differs; exit code 1 if anything does, or could not be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from demo.places import ROOT, STATE
from tests.other_services.comparing import differences, faults
from tests.other_services.environments import EnvironmentError, python_of
from tests.other_services.services import Service, records_of
from tests.other_services.services.table import SERVICES


class ServiceError(Exception):
    """A service could not be asked; the text has the end of its output."""


class Outcome(NamedTuple):
    """What came of one service."""

    service: Service
    records: list[Any]
    faults: list[str]


def tried(service: Service) -> Outcome:
    """Ask *service* without the filter, then with it, from the same state.

    Raises EnvironmentError and ServiceError.
    """
    python = python_of(service)
    work = STATE / "other-services" / service.name
    shutil.rmtree(work, ignore_errors=True)
    state = work / "state"
    state.mkdir(parents=True)
    child = [str(python), "-m", "tests.other_services.child", service.name]
    _run(service, work, [*child, str(work), "configure"])
    for program, *arguments in service.make_database(work):
        _run(service, work, [str(python.parent / program), *arguments])
    shutil.copytree(state, work / "first-state")
    answers = {}
    for way in "without", "with":
        shutil.rmtree(state)
        shutil.copytree(work / "first-state", state)
        path = work / f"answers-{way}.json"
        _run(service, work, [*child, str(work), way, str(path)])
        answers[way] = json.loads(path.read_text())
    lines = records_of(work).read_text().splitlines()
    records = [json.loads(line) for line in lines]
    found = [
        *differences(service, answers["without"], answers["with"]),
        *faults(service, answers["with"], records),
    ]
    return Outcome(service, records, found)


def _run(service: Service, work: Path, command: list[str]) -> None:
    environment = {**os.environ, **service.environment(work)}
    environment["PYTHONPATH"] = str(ROOT)
    # Some headers list what is in a set.
    environment["PYTHONHASHSEED"] = "0"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    with open(work / "output.log", "a") as file:
        file.write(done.stdout)
    if done.returncode:
        last = "\n  ".join(done.stdout.strip().splitlines()[-5:])
        raise ServiceError(f"exit code {done.returncode}:\n  {last}")


def show(outcome: Outcome) -> None:
    """Print what came of one service, a line for each request."""
    service = outcome.service
    print(f"\n{service.requirement}, service = {service.service}")
    for record in outcome.records:
        groups = record["groups"]
        counts = [
            groups.get(name, {}).get("calls", 0) for name in ("sql", "db_api")
        ]
        print(
            f"  {record['method']:<5} {record['status']} {counts[0]:>4} SQL "
            f"{counts[1]:>3} DB API  {record['route']}"
        )
    for fault in outcome.faults:
        print(f"  WRONG {fault}")
    if not outcome.faults:
        print(
            f"  {len(outcome.records)} answers the same as without the filter"
        )


def main(names: Iterable[str]) -> int:
    """Try the services with *names*; return the exit code."""
    is_right = True
    for name in names:
        try:
            outcome = tried(SERVICES[name])
        except (EnvironmentError, ServiceError) as exc:
            is_right = False
            print(f"\n{name} was not tried: {exc}")
            continue
        show(outcome)
        is_right = is_right and not outcome.faults
    return 0 if is_right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.other_services", description=__doc__
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join(SERVICES)
    )
    chosen = parser.parse_args().names or list(SERVICES)
    unknown = [name for name in chosen if name not in SERVICES]
    if unknown:
        parser.error(
            f"{unknown[0]!r} is no service; expected {', '.join(SERVICES)}"
        )
    sys.exit(main(chosen))
