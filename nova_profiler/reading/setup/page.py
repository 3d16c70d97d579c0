# SPDX-License-Identifier: Apache-2.0
"""What ``nova-profiler check`` prints."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nova_profiler.reading.screen.terminal import counted
from nova_profiler.reading.setup import WARNING, WRONG, Point


def print_points(points: Sequence[Point]) -> None:
    """Print each of *points* and its remedy, then how many there are."""
    for point in points:
        click.echo(f"{point.state:<8} {point.name}: {point.found}")
        for line in point.remedy:
            click.echo(f"             {line}")
    wrong = sum(one.state == WRONG for one in points)
    doubtful = sum(one.state == WARNING for one in points)
    click.echo(
        f"{counted(len(points), 'point')}, {wrong} wrong, "
        f"{counted(doubtful, 'warning')}"
    )
