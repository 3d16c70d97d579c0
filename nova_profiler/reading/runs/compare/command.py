# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler compare``: names slower routes, fails a gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.answers import (
    GATE_FOUND,
    print_json,
)
from nova_profiler.reading.command_line.form_option import form_option
from nova_profiler.reading.command_line.options import (
    Finite,
    json_option,
    limit_option,
)
from nova_profiler.reading.runs.options import (
    engine_option,
    history_option,
    least_change_option,
    uses_history_extra,
)

if TYPE_CHECKING:
    from nova_profiler.reading.runs.compare.comparison import (
        Comparison,
        Limits,
    )
    from nova_profiler.reading.runs.compare.sides import Sides


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--fail-above",
    metavar="PERCENT",
    type=Finite(0),
    help="Exit with 1 if a route is surely slower by more than this.",
)
@click.option(
    "--fail-all-above",
    metavar="PERCENT",
    type=Finite(0),
    help="The same for all routes together; twice --fail-above by default.",
)
@click.option(
    "--confidence",
    metavar="PERCENT",
    type=Finite(50, 99.9999),
    default=99.0,
    show_default=True,
    help="How sure a change of any route must be.",
)
@least_change_option
@limit_option(40, "How many routes to show, changed ones first; JSON has all.")
@form_option
@history_option
@engine_option
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
)
@json_option
@uses_history_extra
@click.pass_context
def command(
    ctx: click.Context,
    a: str,
    b: str,
    fail_above: float | None,
    fail_all_above: float | None,
    confidence: float,
    least_change: float,
    limit: int,
    stated: tuple[str, ...],
    directory: Path | str,
    engine: str,
    shape: str,
    as_json: bool,
) -> None:
    """Show which routes are slower or faster in B than in A.

    A and B are runs (see `history`) or logs. Several runs, by comma or as a
    pattern in quotes, make a better A: they also show how much routes
    differ between equal runs. The newest ten are used.

    \b
    nova-profiler compare nightly-20 nightly-21
    nova-profiler compare 'nightly-*' logs/n-api.log.gz --fail-above 10
    """
    from nova_profiler.reading.runs.compare.comparison import Limits
    from nova_profiler.reading.runs.compare.sides import Sides
    from nova_profiler.reading.runs.kept.buckets import history_at

    if as_json and shape not in ("text", "json"):
        raise click.UsageError(f"--json is not --format {shape}")
    limits = Limits(
        confidence / 100,
        least_change / 100,
        _part(fail_above),
        _part(fail_all_above),
    )
    sides = Sides(history_at(directory), stated)
    found = _compared(a, b, sides, engine, limits)
    _print(found, "json" if as_json else shape, limit)
    if limits.is_gate and found.nothing_compared:
        raise NovaProfilerError(
            f"nothing could be compared: {found.nothing_compared}"
        )
    if found.failures:
        ctx.exit(GATE_FOUND)


def _print(found: Comparison, shape: str, limit: int) -> None:
    if shape == "json":
        from nova_profiler.reading.runs.compare.comparison import figures_of

        print_json(figures_of(found))
    elif shape == "markdown":
        from nova_profiler.reading.runs.compare.page import markdown_of

        click.echo(markdown_of(found, limit))
    elif shape == "html":
        from nova_profiler.reading.runs.compare.html_page import html_of

        click.echo(html_of(found, limit).encode("utf-8", "replace"))
    else:
        from nova_profiler.reading.runs.compare.page import print_comparison
        from nova_profiler.reading.screen.terminal import terminal

        print_comparison(terminal(), found, limit)


def _compared(
    a: str, b: str, both: Sides, engine: str, limits: Limits
) -> Comparison:
    from nova_profiler.reading.runs.compare.comparison import compared
    from nova_profiler.reading.runs.kept.damaged import damaged, hostile
    from nova_profiler.reading.runs.kept.engines import engine_at, requests_of
    from nova_profiler.reading.runs.kept.queries import SidesFigures
    from nova_profiler.reading.runs.kept.run import HistoryError

    with both as sides, engine_at(engine) as backend:
        side_a, side_b = sides.side(a), sides.side(b)
        try:
            broken = {
                **hostile(backend, side_a.directory, side_a.runs),
                **hostile(backend, side_b.directory, side_b.runs),
            }
            if broken:
                raise HistoryError("; ".join(broken.values()))
            figures = SidesFigures(
                requests_of(backend, side_a.directory, side_a.runs),
                requests_of(backend, side_b.directory, side_b.runs),
                [run.name for run in side_a.runs],
            )
            return compared((side_a.name, side_b.name), figures, limits)
        except HistoryError:
            raise
        except Exception as exc:
            broken = {
                **damaged(backend, side_a.directory, side_a.runs),
                **damaged(backend, side_b.directory, side_b.runs),
            }
            if not broken:
                raise
            raise HistoryError("; ".join(broken.values())) from exc


def _part(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
