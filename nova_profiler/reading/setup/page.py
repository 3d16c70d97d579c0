# SPDX-License-Identifier: Apache-2.0
"""What ``nova-profiler check`` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import click

from nova_profiler.reading.screen.terminal import counted, printable
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.services import Service
from nova_profiler.reading.setup.services.points import blocked

SCHEMA = 1
_WIDTH = 80
_SERVICE = "service "
_ORDER = (WRONG, WARNING, OK)


def figures_of(
    points: Sequence[Point], services: Sequence[Service]
) -> dict[str, Any]:
    """Return what ``--json`` prints: the points, and facts of services."""
    return {
        "schema": SCHEMA,
        "points": [one._asdict() for one in points],
        "services": [_facts_of(one) for one in services],
    }


def _facts_of(service: Service) -> dict[str, Any]:
    python = service.python
    fault = blocked(service)
    return {
        "service": service.kind.service,
        "project": service.kind.project,
        "on": service.on,
        "by": service.by,
        "where": service.where,
        "enabled": service.enabled,
        "blocked_by": None if fault is None else fault.why,
        "files": service.files,
        "unreadable": service.unreadable,
        "pids": service.running.pids,
        "spawned_pids": service.running.spawned,
        "python": None if python is None else python._asdict(),
    }


def print_points(points: Sequence[Point]) -> None:
    """Print how many of *points* there are, then each with its remedy.

    What is wrong comes first. Services of which the same was found share its
    lines.
    """
    click.echo(_count_of(points))
    in_order = sorted(points, key=lambda one: _ORDER.index(one.state))
    for point in _together(in_order):
        shown = printable(f"{point.name}: {point.found}")
        for line in _lines(f"{point.state:<8} {shown}"):
            click.echo(line)
        for line in point.remedy:
            # To be pasted: whole, or it is of no use.
            click.echo(f"             {printable(line, len(line))}")


def _count_of(points: Sequence[Point]) -> str:
    wrong = sum(one.state == WRONG for one in points)
    doubtful = sum(one.state == WARNING for one in points)
    return (
        f"{counted(len(points), 'point')}: {wrong} wrong, "
        f"{counted(doubtful, 'warning')}"
    )


def _together(points: Sequence[Point]) -> list[Point]:
    """Return *points*, those of several services with one finding as one."""
    alike: dict[tuple[object, ...], list[Point]] = {}
    for number, point in enumerate(points):
        is_service = point.name.startswith(_SERVICE)
        key = (point.state, point.found, point.remedy)
        alike.setdefault(key if is_service else (number,), []).append(point)
    return [_as_one(group) for group in alike.values()]


def _as_one(alike: Sequence[Point]) -> Point:
    names = dict.fromkeys(one.name.removeprefix(_SERVICE) for one in alike)
    if len(names) == 1:
        return alike[0]
    return alike[0]._replace(name=f"services {', '.join(names)}")


def _lines(text: str) -> Iterator[str]:
    """Yield *text* in lines of 80 columns; a path or URL stays whole."""
    yield from textwrap.wrap(
        text,
        _WIDTH,
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    )
