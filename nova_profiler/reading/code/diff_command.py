# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler diff``: two sets of profiles, function by function."""

from __future__ import annotations

import click

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles import PYSPY, STACKS, ProfileError
from nova_profiler.profiles.loading import had_no_sample, load
from nova_profiler.reading.code.adding_up import none_read
from nova_profiler.reading.code.choice import ProfileChoice, Side
from nova_profiler.reading.code.diff import OWN, TOTAL, ProfileSet, figures_of
from nova_profiler.reading.command_line.answers import (
    json_limit,
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.kind_option import (
    WantedKind,
    kind_option,
)
from nova_profiler.reading.command_line.options import (
    JSON_HAS_ALL,
    dump_dir_options,
    json_option,
    limit_option,
    moment_of,
)
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.record import REQUEST

Sets = dict[str, ProfileSet]
# From when on, and until when; either may be None.
Span = tuple[str | None, str | None]


@click.command("diff")
@click.argument("names", metavar="[A B]", nargs=-1)
@dump_dir_options
@click.option(
    "--route",
    metavar="ROUTE",
    help="Without A and B: compare the dumps of this route, with its method "
    "in front or without.",
)
@kind_option(REQUEST.name)
@click.option(
    "--before",
    metavar="WHEN",
    callback=moment_of,
    help="A is the dumps from before then: 2h or 2026-11-21T10:35.",
)
@click.option(
    "--after",
    metavar="WHEN",
    callback=moment_of,
    help="B is the dumps from then on; without it, from --before on.",
)
@click.option(
    "--sort",
    "by",
    type=click.Choice([OWN, TOTAL]),
    default=OWN,
    show_default=True,
    help="The function's own time, or with what it called.",
)
@click.option(
    "--by",
    "former_by",
    type=click.Choice([OWN, TOTAL]),
    # The former name of --sort.
    hidden=True,
)
@limit_option(25, f"How many functions to show; {JSON_HAS_ALL}.")
@json_option
def command(
    names: tuple[str, ...],
    dump_dir: str | None,
    config_file: str | None,
    route: str | None,
    before: str | None,
    after: str | None,
    kind: WantedKind,
    by: str,
    former_by: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show which functions take longer or shorter in B than in A.

    A and B are each a profile, a dump, a request id or a directory with any
    number of them; or the dumps of a route before and after a moment. Times
    are those of a mean request. Waiting is left out.

    \b
    nova-profiler diff dumps-before/ dumps-after/
    nova-profiler diff --route /v2.1/servers/detail --before 2h
    """
    skipped = Skipped()
    by = former_by or by
    choice = ProfileChoice(dump_dir, config_file, skipped, kind)
    sides = _sides(choice, names, route, before, after)
    spans = _spans_of(before, after)
    for side, span, (paths, _) in zip("AB", spans, sides, strict=True):
        if not paths:
            skipped.print()
            why = kind.about_others or choice.why_none(route, *span)
            say_nothing_found(f"{side}{_span_text(*span)}: {why}")
            if as_json:
                print_json({"sort": by, "profiles": []})
            return
    first, second = (_sets_of(side, by, skipped) for side in sides)
    both = [engine for engine in first if engine in second]
    if not both:
        raise NovaProfilerError(
            f"nothing to compare: A has profiles of {' and '.join(first)}, B "
            f"of {' and '.join(second)}"
        )
    for engine in sorted(first.keys() ^ second.keys()):
        side = "A" if engine in first else "B"
        skipped.add(f"{engine}: only {side} has profiles of it")
    skipped.print()
    pairs = [(first[one], second[one]) for one in both]
    _print(pairs, by, limit, kind.noun, as_json)


def _sides(
    choice: ProfileChoice,
    names: tuple[str, ...],
    route: str | None,
    before: str | None,
    after: str | None,
) -> tuple[Side, Side]:
    before, after = before or after, after or before
    if len(names) == 2 and before is None and route is None:
        return choice.side_of(names[0]), choice.side_of(names[1])
    if names or before is None:
        raise click.UsageError(
            "give A and B, or --before or --after, with --route if you like"
        )
    return (
        choice.side_of_dumps(route, before=before),
        choice.side_of_dumps(route, since=after),
    )


def _spans_of(before: str | None, after: str | None) -> tuple[Span, Span]:
    """Return which time each side has."""
    return (None, before or after), (after or before, None)


def _span_text(since: str | None, before: str | None) -> str:
    """Return the time of a side for a message; empty if it has any."""
    if since is not None:
        return f", since {_second(since)} UTC"
    return "" if before is None else f", before {_second(before)} UTC"


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")


def _sets_of(side: Side, by: str, skipped: Skipped) -> Sets:
    """Return the profiles of each engine, added up request by request."""
    sets: Sets = {}
    unread: list[str] = []
    paths = side.profiles
    for path in with_progress(paths, "reading profiles", len(paths)):
        try:
            profile = load(path)
        except ProfileError as exc:
            unread.append(str(exc))
            continue
        known = sets.setdefault(
            profile.engine, ProfileSet(profile.engine, profile.kind)
        )
        known.add(profile, by)
    if not sets:
        raise none_read(unread)
    for error in unread:
        skipped.add(error)
    for engine in (STACKS, PYSPY):
        if engine in sets:
            # Else the mean would be over the requests with samples only.
            sets[engine].add_without_samples(
                sum(had_no_sample(bare, engine) for bare in side.bare)
            )
    return sets


def _print(
    pairs: list[tuple[ProfileSet, ProfileSet]],
    by: str,
    limit: int,
    noun: str,
    as_json: bool,
) -> None:
    if as_json:
        most = json_limit()
        tables = [figures_of(*pair, by, most) for pair in pairs]
        print_json({"sort": by, "profiles": tables})
        return
    from nova_profiler.reading.code.diff_page import print_diff
    from nova_profiler.reading.screen.terminal import terminal

    console = terminal()
    for number, pair in enumerate(pairs):
        if number:
            console.print()
        print_diff(console, *pair, by, limit, noun)
