# SPDX-License-Identifier: Apache-2.0
"""What a service's versions lack: one row for each that matters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nova_profiler.projects import project_named
from nova_profiler.reading.setup.services import DRIVER, Python, Service

Version = tuple[int, ...]


class Range(NamedTuple):
    """Versions of a package, from one on and below another, and their lack.

    ``below`` is empty where there is no end.
    """

    package: str
    since: Version
    below: Version
    lack: str
    remedy: str
    # Only for a service that is on by this way; empty: by any.
    way: str = ""


RANGES = (
    Range(
        "sqlalchemy",
        (0,),
        (1, 4),
        "statements are not timed",
        "SQLAlchemy 1.4 or newer",
    ),
    Range(
        "sqlalchemy",
        (2, 2),
        (),
        "newer than any that was tried: statements may not be timed",
        "look whether a record has a group sql",
    ),
    Range(
        "oslo-config",
        (0,),
        (8, 8),
        "nova-profiler does not start with it",
        "oslo.config 8.8 or newer",
    ),
    Range(
        "greenlet",
        (0,),
        (1,),
        "greenthreads share their context: records of requests mix",
        "greenlet 1.0 or newer",
    ),
    # 4.8 forks unless it is asked to spawn.
    Range(
        "oslo-service",
        (4, 5),
        (4, 8),
        "it spawns workers where it can, which then have no records",
        "oslo.service 4.8 or newer, which forks workers",
        DRIVER,
    ),
)
_OLDEST_PYTHON = (3, 10)


def lacks_of(service: Service, python: Python) -> Iterator[tuple[str, str]]:
    """Yield what the versions beside *service* lack, each with its remedy."""
    if not service.by:
        return
    if python.version and _version(python.version) < _OLDEST_PYTHON:
        yield (
            f"Python {python.version} cannot load nova-profiler",
            "Python 3.10 or newer",
        )
    yield from _release_lacks(service, python)
    for one in RANGES:
        if one.package == "oslo-service" and service.running.spawned:
            # The workers themselves have a point.
            continue
        written = python.packages.get(one.package, "")
        if not written or (one.way and one.way not in service.by):
            continue
        version = _version(written)
        if one.since <= version and not (one.below and version >= one.below):
            # As its index writes it.
            name = one.package.replace("oslo-", "oslo.")
            yield f"{name} {written}: {one.lack}", one.remedy


def version_of(service: Service, python: Python) -> str:
    """Return the version of the service's own package; empty if not known."""
    name = service.kind.project
    project = project_named(name)
    package = project.distribution if project else ""
    return python.packages.get(package or name, "")


def _release_lacks(
    service: Service, python: Python
) -> Iterator[tuple[str, str]]:
    """Yield that the service's release was not tried."""
    project = project_named(service.kind.project)
    written = version_of(service, python)
    if project is None or not written:
        return
    if written.partition(".")[0] in map(str, project.tried):
        return
    tried = ", ".join(map(str, project.tried)) or "none"
    yield (
        f"{project.name} {written} is not a release that was tried ({tried})",
        "look whether its records have routes and calls",
    )


def _version(text: str) -> Version:
    """Return the numbers that *text* begins with; () compares below all."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
