# SPDX-License-Identifier: Apache-2.0
"""A point of ``check`` for each service of a host, with its remedy."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_profiler.command_name import command_name
from nova_profiler.projects import NOVA
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.services import (
    DRIVER,
    FILTER,
    WRAPPED,
    Service,
)
from nova_profiler.reading.setup.services.configuration import paste_files
from nova_profiler.reading.setup.services.environments import OURS
from nova_profiler.reading.setup.services.versions import (
    lacks_of,
    version_of,
)

_SECTION = "[oslo_messaging_notifications]"
_LINE = "driver = nova_profiler"
# Whose services belong to a request of Nova.
_OURS = (NOVA, "placement")
# Up to this many are named; a remedy is one line.
# `make dist` makes it; the name is not on the package index yet.
_WHEEL = "nova_profiler-*.whl"
_NAMED = 4


class Blocked(NamedTuple):
    """Why a service has no records, and what to do."""

    why: str
    remedy: str


def service_points(services: Sequence[Service], etc: str) -> Iterator[Point]:
    """Yield the points of *services*, whose files are below *etc*."""
    if services:
        yield _summary(services)
    kinds = [one.kind for one in services]
    for one in services:
        yield _state_point(one, etc, kinds.count(one.kind) > 1)
        yield from _further_points(one)


def _summary(services: Sequence[Service]) -> Point:
    """Return how many of Nova's services are on: the answer in one line."""
    asked = [one for one in services if one.kind.project in _OURS]
    off = [
        one.kind.service
        for one in asked
        if not (one.on and one.enabled) or blocked(one)
    ]
    of = f"{len(asked) - len(off)} of {len(asked)}"
    if not asked:
        return Point(OK, "services", "none of Nova's is on this host")
    if not off:
        return Point(OK, "services", f"{of} are on")
    names = ", ".join(dict.fromkeys(off))
    return Point(WARNING, "services", f"{of} are on; not {names}")


def _state_point(service: Service, etc: str, has_others: bool) -> Point:
    name = f"service {service.kind.service}"
    facts = _facts_of(service, has_others)
    if service.on is None:
        found = f"not known: {_short(service.unreadable)} cannot be read"
        remedy = "run it as root, or as the service's user"
        return Point(WARNING, name, f"{found}{facts}", (remedy,))
    if not service.on:
        off = f"off{facts}"
        if service.kind.project not in _OURS:
            # It may be timed, and Nova's records are whole without it.
            return Point(OK, name, off)
        return Point(WARNING, name, off, _remedy_of(service, etc))
    by = " and ".join(service.by)
    if not service.enabled:
        found = f"on by {by}, and enabled = false{facts}"
        return Point(WARNING, name, found, ("enabled = true",))
    fault = blocked(service)
    if fault is not None:
        found = f"off though named by {by}{facts}: {fault.why}"
        return Point(WRONG, name, found, (fault.remedy,))
    return Point(OK, name, f"on by {by}{facts}")


def blocked(service: Service) -> Blocked | None:
    """Return why *service* has no records, though its files switch it on.

    Its Python may lack the package, or have one without the driver.
    """
    python = service.python
    if not service.by or python is None:
        return None
    program = shlex.quote(f"{python.prefix}/bin/python3")
    command = f"{program} -m pip install"
    version = python.packages.get(OURS)
    if version is None:
        why = f"nova-profiler is not in its Python, {python.prefix}"
        if FILTER in service.by or WRAPPED in service.by:
            why += "; it does not start"
        return Blocked(why, f"{command} {_WHEEL}")
    if service.kind.way == DRIVER and not python.has_driver:
        why = f"nova-profiler {version} in {python.prefix} has no driver"
        return Blocked(why, f"{command} --upgrade {_WHEEL}")
    return None


def _facts_of(service: Service, has_others: bool) -> str:
    """Return how many processes it has, and its version.

    With *has_others*, of the same kind and other files, a pid says which.
    """
    facts = []
    pids = service.running.pids
    if pids and has_others:
        more = f" and {len(pids) - 1} more" if len(pids) > 1 else ""
        facts.append(f"pid {pids[0]}{more}")
    elif pids:
        plural = "es" if len(pids) > 1 else ""
        facts.append(f"{len(pids)} process{plural}")
    if service.python is not None:
        version = version_of(service, service.python)
        if version:
            facts.append(f"{service.kind.project} {version}")
    return "".join(f", {fact}" for fact in facts)


def _further_points(service: Service) -> Iterator[Point]:
    """Yield what keeps a service from being timed as it seems to be."""
    name = f"service {service.kind.service}"
    for slip in service.slips:
        found = f"{slip!r} names no driver of ours"
        remedy = f"a line of its own: {_LINE}"
        yield Point(WRONG, name, found, (remedy,))
    pids, spawned, unseen = service.running
    if unseen:
        more = f" and {len(pids) - 1} more" if len(pids) > 1 else ""
        found = (
            f"pid {pids[0]}{more}: Python not looked at: others may change "
            f"{unseen}"
        )
        remedy = "run this as the service's user"
        yield Point(WARNING, name, found, (remedy,))
    python = service.python
    if service.on and spawned:
        found = (
            f"{_pids(spawned)} spawned, not forked: spawned workers load no "
            "notification driver, and have no records"
        )
        remedy = "oslo.service 4.8 or newer, which forks workers"
        yield Point(WARNING, name, found, (remedy,))
    if python is not None:
        for found, remedy in lacks_of(service, python):
            yield Point(WARNING, name, found, (remedy,))


def _remedy_of(service: Service, etc: str) -> tuple[str, ...]:
    """Return what switches a service on, and where."""
    kind = service.kind
    folder = os.path.join(etc, kind.project)
    if kind.way == DRIVER:
        place = f"{folder}/{kind.project}.conf.d/nova-profiler.conf"
        return (f"{_SECTION} {_LINE}", f"in {place}")
    if kind.way == WRAPPED:
        wrapped = f"{kind.modules[0]}:application"
        return (
            "module = nova_profiler.wsgi:application",
            f"env = NOVA_PROFILER_APPLICATION={wrapped}",
        )
    paste = (paste_files(folder) or [f"{folder}/api-paste.ini"])[0]
    return (f"{command_name()} check --paste {shlex.quote(paste)}",)


def _short(paths: Sequence[str]) -> str:
    """Return a few of *paths*, and how many more there are."""
    shown = ", ".join(paths[:1])
    return f"{shown} and {len(paths) - 1} more" if len(paths) > 1 else shown


def _pids(pids: Sequence[int]) -> str:
    shown = ", ".join(str(pid) for pid in pids[:_NAMED])
    more = f" and {len(pids) - _NAMED} more" if len(pids) > _NAMED else ""
    if len(pids) == 1:
        return f"worker {shown} was"
    return f"workers {shown}{more} were"
