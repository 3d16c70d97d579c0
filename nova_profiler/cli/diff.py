# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler diff``: two sets of profiles, function by function."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nova_profiler.cli.options import (
    dump_dir_options,
    json_option,
    limit_option,
    moment_of,
)
from nova_profiler.cli.profile_choice import ProfileChoice
from nova_profiler.cli.progress import with_progress
from nova_profiler.cli.skipped import Skipped
from nova_profiler.profiles import ProfileError
from nova_profiler.profiles.loading import load
from nova_profiler.reports.profile_diff import (
    OWN,
    TOTAL,
    ProfileSet,
    figures_of,
)

Sets = dict[str, ProfileSet]


@click.command("diff")
@click.argument("names", metavar="[A B]", nargs=-1)
@dump_dir_options
@click.option(
    "--route",
    metavar="ROUTE",
    help="Without A and B: compare the dumps of this route.",
)
@click.option(
    "--before",
    metavar="WHEN",
    callback=moment_of,
    help="A is what came before then: 2h or 2026-11-21T10:35.",
)
@click.option(
    "--after",
    metavar="WHEN",
    callback=moment_of,
    help="B is what came from then on; without it, from --before on.",
)
@click.option(
    "--by",
    type=click.Choice([OWN, TOTAL]),
    default=OWN,
    show_default=True,
    help="The function's own time, or with what it called.",
)
@limit_option(25, "How many functions to show.")
@json_option
def command(
    names: tuple[str, ...],
    dump_dir: str | None,
    config_file: str | None,
    route: str | None,
    before: str | None,
    after: str | None,
    by: str,
    limit: int,
    as_json: bool,
) -> None:
    """Show which functions take longer or shorter in B than in A.

    A and B are each a profile, a dump, a request id or a directory with any
    number of them; or the dumps of a route before and after a moment. Times
    are means of a request. Waiting is left out.

    \b
    nova-profiler diff dumps-before/ dumps-after/
    nova-profiler diff --route /v2.1/servers/detail --before 2h
    """
    skipped = Skipped()
    choice = ProfileChoice(dump_dir, config_file, skipped)
    sides = _sides(choice, names, route, before, after)
    for side, paths in zip("AB", sides, strict=True):
        if not paths:
            skipped.tell()
            raise click.ClickException(
                f"{side} has no dumps with stacks; the option profiler takes "
                f"them"
            )
    first, second = (_sets_of(paths, by, skipped) for paths in sides)
    both = [engine for engine in first if engine in second]
    for engine in sorted(first.keys() ^ second.keys()):
        side = "A" if engine in first else "B"
        skipped.add(f"{engine}: only {side} has profiles of it")
    skipped.tell()
    if not both:
        raise click.ClickException(
            "nothing to compare: A and B have no profiles of the same engine"
        )
    _print([(first[one], second[one]) for one in both], by, limit, as_json)


def _sides(
    choice: ProfileChoice,
    names: tuple[str, ...],
    route: str | None,
    before: str | None,
    after: str | None,
) -> tuple[list[Path], list[Path]]:
    before, after = before or after, after or before
    if len(names) == 2 and before is None and route is None:
        return choice.of(names[0]), choice.of(names[1])
    if names or before is None:
        raise click.UsageError(
            "give A and B, or --before or --after, with --route if you like"
        )
    return (
        choice.of_dumps(route, before=before),
        choice.of_dumps(route, since=after),
    )


def _sets_of(paths: list[Path], by: str, skipped: Skipped) -> Sets:
    """Return the profiles of each engine, added up request by request."""
    sets: Sets = {}
    for path in with_progress(paths, "reading profiles", len(paths)):
        try:
            profile = load(path)
        except ProfileError as exc:
            skipped.add(str(exc))
            continue
        known = sets.setdefault(
            profile.engine, ProfileSet(profile.engine, profile.kind)
        )
        known.add(profile, by)
    return sets


def _print(
    pairs: list[tuple[ProfileSet, ProfileSet]],
    by: str,
    limit: int,
    as_json: bool,
) -> None:
    if as_json:
        tables = [figures_of(*pair, by, limit) for pair in pairs]
        click.echo(json.dumps(tables, indent=2))
        return
    from nova_profiler.reports.diff_page import print_diff
    from nova_profiler.reports.terminal import terminal

    console = terminal()
    for number, pair in enumerate(pairs):
        if number:
            console.print()
        print_diff(console, *pair, by, limit)
