# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler show``: the page of one request."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click
from click.core import ParameterSource

from nova_profiler.command_name import command_name, program_beside
from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore
from nova_profiler.dump_store.names import DUMP_SUFFIX, is_day, is_stem
from nova_profiler.profiles import (
    CALLS_SUFFIX,
    SAMPLES_SUFFIX,
)
from nova_profiler.profiles.loading import Profile, beside
from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.dump_dir import dump_dir_of
from nova_profiler.reading.command_line.options import (
    dump_dirs_options,
    json_option,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.reasons import sources_of_time
from nova_profiler.reading.requests.found_request import (
    NothingKeptError,
    One,
    Whole,
    places_of,
    request_for,
)
from nova_profiler.reading.requests.one_request.loading import (
    json_fields,
    profile_beside,
)
from nova_profiler.record import RequestRecord

_SHORT_ID = 8
_FORMATS = ("text", "html")
_HTML = _FORMATS[1]
_READERS = {
    SAMPLES_SUFFIX: ("pyinstrument", "--load"),
    CALLS_SUFFIX: ("python", "-m pstats"),
}


@click.command("show")
@click.argument("request_id", metavar="[ID]", required=False)
@click.argument("places", metavar="[PLACE]...", nargs=-1, type=click.Path())
@dump_dirs_options
@click.option("--last", is_flag=True, help="The newest dump.")
@click.option("--slowest", is_flag=True, help="The slowest dump.")
@click.option(
    "--full", is_flag=True, help="All rows, whole statements and names."
)
@click.option(
    "--format",
    "how",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    help="html: one page with all of it, to attach to a report.",
)
@json_option
def command(
    request_id: str | None,
    places: tuple[str, ...],
    dump_dirs: tuple[str, ...],
    config_file: str | None,
    last: bool,
    slowest: bool,
    full: bool,
    how: str,
    as_json: bool,
) -> None:
    """Show what one request did and where its time went.

    ID is a request id or its start, a dump's name or its path. Where several
    records have the id, as those of messages and tasks in other services do,
    they are one picture: which waited for which, and the critical path. PLACE
    is another dump directory, a log that log_file made, or a folder of both,
    such as one copied from other hosts.

    \b
    nova-profiler show req-6ec84648
    nova-profiler show req-6ec84648 copied-from-hosts/
    nova-profiler show --slowest --format html > slowest.html
    """
    if as_json and how != _FORMATS[0]:
        raise click.UsageError("give one of --format and --json")
    if (last or slowest) and request_id and os.path.exists(request_id):
        places = request_id, *places
        request_id = None
    if [request_id is not None, last, slowest].count(True) != 1:
        raise click.UsageError("give one of ID, --last and --slowest")
    if request_id is not None and os.path.isfile(request_id):
        # A file from elsewhere needs no dump directory.
        dump_dirs = dump_dirs or (os.curdir,)
        request_id = os.path.join(os.curdir, request_id)
    if not dump_dirs and not places:
        dump_dirs = (dump_dir_of(config_file),)
    skipped = Skipped()
    found_in = places_of(dump_dirs, places, skipped)
    try:
        shown = request_for(request_id, slowest, found_in, skipped)
    except DumpError as exc:
        # A place that is not there may be why.
        skipped.print()
        # What was named as an argument must have a dump.
        if places or not isinstance(exc, NothingKeptError):
            raise
        if as_json:
            print_json({"file": None})
        say_nothing_found(str(exc))
        return
    if isinstance(shown, Whole):
        _print_whole(shown, how, as_json, full, skipped)
    else:
        _print_one(shown, how, as_json, full, skipped)
    skipped.print()


def _print_one(
    one: One, how: str, as_json: bool, full: bool, skipped: Skipped
) -> None:
    record, entry = one
    profile = None
    if entry is not None:
        profile = profile_beside(entry.path, skipped, record=record)
    if how == _HTML:
        from nova_profiler.reading.requests.one_file import file_of

        _echo_html(file_of(record, entry, profile, skipped))
    elif as_json:
        path = None if entry is None else entry.path
        print_json(json_fields(path, record, profile))
    else:
        _print(entry, record, profile, full)


def _print_whole(
    whole: Whole, how: str, as_json: bool, full: bool, skipped: Skipped
) -> None:
    picture = picture_of(whole.request_id, whole.found.served)
    notes = []
    if whole.found.left_out:
        notes.append(f"{whole.found.left_out} more records are left out")
    if how == _HTML:
        from nova_profiler.reading.requests.one_file import file_of_picture

        _echo_html(file_of_picture(picture, notes, skipped))
        return
    if as_json:
        from nova_profiler.reading.over_services.figures import figures_of

        print_json(figures_of(picture, notes))
        return
    from nova_profiler.reading.over_services.page import print_picture
    from nova_profiler.reading.screen.terminal import terminal

    commands = [
        f"{command_name()} show {shlex.quote(source)}"
        for source in sources_of_time(picture)
        if is_stem(os.path.basename(source).removesuffix(DUMP_SUFFIX))
    ]
    print_picture(terminal(), picture, commands, notes, full)


def _print(
    entry: DumpEntry | None,
    record: RequestRecord,
    profile: Profile | None,
    full: bool,
) -> None:
    from nova_profiler.reading.requests.one_request.page import print_request
    from nova_profiler.reading.screen.terminal import terminal

    commands = []
    if entry is not None:
        commands = _next_commands(entry, record, profile is not None)
    print_request(terminal(), record, commands, profile, full)


def _echo_html(page: str) -> None:
    click.echo(page.encode("utf-8", "replace"))


def _next_commands(
    entry: DumpEntry, record: RequestRecord, has_stacks: bool
) -> list[str]:
    """Return commands to go on with; *has_stacks* is whether they are read."""
    commands = []
    program = command_name()
    for suffix, (reader, how) in _READERS.items():
        path = entry.path.with_suffix(suffix)
        if has_stacks and path == beside(entry.path):
            quoted = shlex.quote(str(path))
            what = _short_name(entry, record) or quoted
            commands.append(f"{program} export {what} --format html")
            commands.append(f"{program_beside(reader)} {how} {quoted}")
    # A file from elsewhere has no other dumps around it.
    if entry.started_at:
        chosen = f"--route {shlex.quote(record.route)}{_where(entry)}"
        commands.append(f"{program} calls {chosen}")
        commands.append(f"{program} list --slowest {chosen}")
        if has_stacks:
            commands.append(f"{program} top {chosen}")
    return commands


def _short_name(entry: DumpEntry, record: RequestRecord) -> str:
    """Return the start of the id, with its place, if it means *entry*."""
    start = (record.request_id or "").removeprefix("req-")[:_SHORT_ID]
    if not entry.started_at or len(start) < _SHORT_ID:
        return ""
    try:
        found = DumpStore(_directory_of(entry)).find(start)
    except DumpError:
        return ""
    if found.path != entry.path:
        return ""
    return f"{shlex.quote(start)}{_where(entry)}"


def _where(entry: DumpEntry) -> str:
    """Return --dump-dir as the user gave it, empty if not given."""
    context = click.get_current_context()
    source = context.get_parameter_source("dump_dirs")
    # Other commands do not look into a PLACE, or where an ID as a path leads.
    is_elsewhere = bool(context.params["places"]) or os.path.exists(
        context.params["request_id"] or ""
    )
    if source is not ParameterSource.COMMANDLINE and not is_elsewhere:
        return ""
    return f" --dump-dir {shlex.quote(str(_directory_of(entry)))}"


def _directory_of(entry: DumpEntry) -> Path:
    """Return the dump directory, which has a folder of the day or not."""
    folder = entry.path.parent
    return folder.parent if is_day(folder.name) else folder
