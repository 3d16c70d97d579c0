# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler export``: stacks for other programs, or as a page."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nova_profiler.dump_store import DumpError, DumpStore, name_of_route
from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles.exports import SUFFIXES, exported
from nova_profiler.profiles.loading import Profile
from nova_profiler.reading.code.adding_up import (
    added_up,
    one_of,
)
from nova_profiler.reading.code.certainty import cut_note
from nova_profiler.reading.code.choice import ProfileChoice
from nova_profiler.reading.code.timelines import formats
from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.options import (
    dump_dir_options,
    filter_options,
    last_option,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.record_words import full_title_of, profile_notes
from nova_profiler.reading.screen.terminal import printable, time_text
from nova_profiler.record import RequestRecord

_HTML = "html"
_FORMATS = {
    **SUFFIXES,
    **{how: one.suffix for how, one in formats.FORMATS.items()},
    _HTML: ".html",
}


@click.command("export")
@click.argument("names", metavar="[ID|FILE|DIR]...", nargs=-1)
@dump_dir_options
@filter_options
@last_option
@click.option(
    "--format",
    "how",
    type=click.Choice(list(_FORMATS)),
    default=_HTML,
    show_default=True,
    help="pstats for snakeviz and gprof2dot; speedscope; collapsed for "
    "flamegraph.pl; pyinstrument for its --load; a page of its own. firefox "
    "and perfetto have the calls over time, too, and each request apart.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; - is standard output. Without it a name is made.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was written as JSON."
)
def command(
    names: tuple[str, ...],
    dump_dir: str | None,
    config_file: str | None,
    route: str | None,
    since: str | None,
    until: str | None,
    last: int | None,
    how: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write stacks in another format; those of several requests add up.

    \b
    nova-profiler export req-6ec84648 --format html -o slow.html
    nova-profiler export req-6ec84648 --format firefox
    nova-profiler export --route /v2.1/servers/detail --format speedscope
    """
    if as_json and str(output) == "-":
        raise click.UsageError("--json and -o - would both print")
    skipped = Skipped()
    has_times = how in formats.FORMATS
    choice = ProfileChoice(
        dump_dir, config_file, skipped, takes_bare=has_times
    )
    paths = choice.chosen(names, route, since, last, until)
    if not paths:
        say_nothing_found(choice.why_none(route, since, until))
        skipped.print()
        if as_json:
            print_json({"file": None, "profiles": 0})
        return
    if has_times:
        content = _content_over_time(paths, how, route, skipped)
    else:
        profile = one_of(added_up(paths, skipped), skipped)
        cut = cut_note(profile)
        if cut is not None:
            skipped.add(cut)
        content = _content(profile, how, *_about(paths, route))
    if output is None:
        output = _file_name(paths, route, how)
        if output.is_symlink():
            # A stranger may have filled this folder.
            raise NovaProfilerError(f"{output}: is a link; give -o FILE")
    _write(content, output, paths, as_json=as_json)
    skipped.print()


def _about(paths: list[Path], route: str | None) -> tuple[str, list[str]]:
    """Return the title of the profile, and the notes in its dump."""
    if len(paths) > 1:
        return f"{route or 'all routes'}, {len(paths)} requests", []
    try:
        store = DumpStore(paths[0].parent)
        dump = str(paths[0].with_suffix(".json").absolute())
        record = store.read(store.find(dump))
    except DumpError:
        # A profile can be exported without its dump.
        return paths[0].name, []
    return _title(record), profile_notes(record)


def _title(record: RequestRecord) -> str:
    return (
        f"{full_title_of(record)}, {record.duration_ms:.1f} ms, "
        f"{time_text(record.started_at)} UTC"
    )


def _content_over_time(
    paths: list[Path], how: str, route: str | None, skipped: Skipped
) -> bytes:
    title, _ = _about(paths, route)
    content, left_out = formats.content_in(how, printable(title), paths)
    for line in left_out:
        skipped.add(line)
    return content


def _content(
    profile: Profile, how: str, title: str, notes: list[str]
) -> bytes:
    if how != _HTML:
        return exported(profile, how, title)
    from nova_profiler.reading.code.profile_page.page import page_of

    return page_of(profile, title, notes).encode("utf-8", "replace")


def _file_name(paths: list[Path], route: str | None, how: str) -> Path:
    """Return a name in the current directory."""
    if len(paths) == 1:
        stem = paths[0].stem
    else:
        stem = f"{len(paths)}-requests"
        if route is not None:
            stem += f"-{name_of_route(route)}"
    return Path(stem + _FORMATS[how])


def _for_terminal(content: bytes) -> bytes:
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise NovaProfilerError(
            "this format is no text for a terminal: give -o FILE"
        ) from None
    shown = (
        "".join(
            letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
            for letter in line
        )
        for line in lines
    )
    return "\n".join(shown).encode("utf-8")


def _write(
    content: bytes, output: Path, paths: list[Path], *, as_json: bool
) -> None:
    if str(output) == "-":
        if sys.stdout.isatty():
            # Names in it are a stranger's, and a terminal obeys some.
            content = _for_terminal(content)
        sys.stdout.buffer.write(content)
        return
    if any(output.resolve() == path.resolve() for path in paths):
        raise NovaProfilerError(f"{output}: is what is read; give -o FILE")
    output.write_bytes(content)
    if as_json:
        written = {"file": str(output), "profiles": len(paths)}
        print_json(written)
    else:
        click.echo(f"{output}")
