# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler top``: the functions of many profiles."""

from __future__ import annotations

import click

from nova_profiler.profiles.loading import Profile, Profiles
from nova_profiler.reading.code.adding_up import added_up, one_of
from nova_profiler.reading.code.choice import ProfileChoice
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
    filter_options,
    json_option,
    last_option,
    limit_option,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.screen.terminal import counted
from nova_profiler.record import REQUEST

_FORMATS = ("text", "html")
_SORTS = ("tottime", "cumtime", "ncalls", "percall")


@click.command("top")
@click.argument("names", metavar="[FILE|ID|DIR]...", nargs=-1)
@dump_dir_options
@filter_options
@kind_option(REQUEST.name)
@last_option
@click.option(
    "--sort",
    type=click.Choice(_SORTS),
    default="tottime",
    show_default=True,
    help="The column to sort by. percall is the second one. Profiles of "
    "samples are sorted by samples for ncalls, by tottime for percall.",
)
@limit_option(25, f"How many functions to show; {JSON_HAS_ALL}.")
@click.option(
    "--format",
    "how",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    help="html: one page, with the stacks as a tree to open.",
)
@json_option
def command(
    names: tuple[str, ...],
    dump_dir: str | None,
    config_file: str | None,
    route: str | None,
    since: str | None,
    until: str | None,
    kind: WantedKind,
    last: int | None,
    sort: str,
    limit: int,
    how: str,
    as_json: bool,
) -> None:
    """Show which functions took the time over many profiles.

    The columns are those of pstats. Time spent waiting, as in select or for
    a lock, is in no share and has its own table. Profiles of samples and of
    counted calls are never added up.

    \b
    nova-profiler top --route /v2.1/servers/detail --since 2h
    nova-profiler top 103501.123-3117ms-POST-v2_1_servers.prof --sort cumtime
    """
    is_page = how != _FORMATS[0]
    if is_page and as_json:
        raise click.UsageError("give one of --format and --json")
    skipped = Skipped()
    choice = ProfileChoice(dump_dir, config_file, skipped, kind)
    paths = choice.chosen(names, route, since, last, until)
    profiles = added_up(paths, skipped)
    if is_page and profiles.engines:
        _print_page(one_of(profiles, skipped), route, skipped)
        return
    if as_json or profiles.engines:
        _print(profiles, sort, limit, as_json)
    if profiles.engines:
        kind.print_others()
    else:
        say_nothing_found(
            kind.about_others or choice.why_none(route, since, until)
        )
    skipped.print()


def _print_page(profile: Profile, route: str | None, skipped: Skipped) -> None:
    from nova_profiler.reading.code.profile_page.page import page_of

    title = f"{route or 'all routes'}, {counted(profile.profiles, 'request')}"
    notes = [skipped.first] if skipped.count else []
    page = page_of(profile, title, notes)
    click.echo(page.encode("utf-8", "replace"))
    skipped.print()


def _print(profiles: Profiles, sort: str, limit: int, as_json: bool) -> None:
    from nova_profiler.reading.code.top_page import figures_of, print_top
    from nova_profiler.reading.screen.terminal import terminal

    if as_json:
        most = json_limit()
        tables = [figures_of(one, sort, most) for one in profiles.engines]
        print_json({"sort": sort, "profiles": tables})
        return
    console = terminal()
    for number, one in enumerate(profiles.engines):
        if number:
            console.print()
        print_top(console, one, sort, limit)
