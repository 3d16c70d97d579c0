# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler show``: the page of one request."""

from __future__ import annotations

import json
import os
import shlex

import click
from click.core import ParameterSource

from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore
from nova_profiler.profiles import (
    CALLS_SUFFIX,
    SAMPLES_SUFFIX,
    ProfileError,
)
from nova_profiler.profiles.loading import Profile, beside, load
from nova_profiler.profiles.pending import give_up, why_lost
from nova_profiler.reading.code.hot_path import figures_of
from nova_profiler.reading.command_line.options import (
    dump_dir_options,
    json_option,
    store_of,
)
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.requests.one_request.figures import lanes_of
from nova_profiler.record import RequestRecord

_READERS = {
    SAMPLES_SUFFIX: "pyinstrument --load",
    CALLS_SUFFIX: "python -m pstats",
}


@click.command("show")
@click.argument("request_id", metavar="[ID]", required=False)
@dump_dir_options
@click.option("--last", is_flag=True, help="The newest dump.")
@click.option("--slowest", is_flag=True, help="The slowest dump.")
@json_option
def command(
    request_id: str | None,
    dump_dir: str | None,
    config_file: str | None,
    last: bool,
    slowest: bool,
    as_json: bool,
) -> None:
    """Show what one request did and where its time went.

    ID is a request id or its start, a dump's name or its path.

    \b
    nova-profiler show req-6ec84648
    nova-profiler show --slowest
    """
    if [request_id is not None, last, slowest].count(True) != 1:
        raise click.UsageError("give one of ID, --last and --slowest")
    if request_id is not None and os.path.isfile(request_id):
        # A file from elsewhere needs no dump directory.
        dump_dir = dump_dir or os.curdir
        request_id = os.path.join(os.curdir, request_id)
    store = store_of(dump_dir, config_file)
    entry = _chosen(store, request_id, slowest)
    record = _read(store, entry)
    skipped = Skipped()
    profile = _profile_of(entry, skipped)
    _print(entry, record, profile, as_json)
    skipped.print()


def _read(store: DumpStore, entry: DumpEntry) -> RequestRecord:
    """Return the record of *entry*, which promises no stacks in vain."""
    record = store.read(entry)
    if why_lost(record) is not None:
        # The last that its worker did may have been to write them.
        record = store.read(entry)
        why = why_lost(record)
        if why is not None:
            give_up(record, why)
    return record


def _print(
    entry: DumpEntry,
    record: RequestRecord,
    profile: Profile | None,
    as_json: bool,
) -> None:
    if as_json:
        fields = {**record.to_dict(), "file": str(entry.path)}
        if profile is not None:
            fields["stacks"] = figures_of(
                profile,
                duration_ms=record.duration_ms,
                lanes=len(lanes_of(record)),
            )
        click.echo(json.dumps(fields, indent=2))
        return
    from nova_profiler.reading.requests.one_request.page import print_request
    from nova_profiler.reading.screen.terminal import terminal

    commands = _next_commands(entry, record)
    print_request(terminal(), record, commands, profile)


def _profile_of(entry: DumpEntry, skipped: Skipped) -> Profile | None:
    path = beside(entry.path)
    if path is None:
        return None
    try:
        return load(path)
    except ProfileError as exc:
        skipped.add(str(exc))
        return None


def _chosen(
    store: DumpStore, request_id: str | None, slowest: bool
) -> DumpEntry:
    if request_id is not None:
        return store.find(request_id)
    entries = store.entries()
    entry = (
        max(entries, key=_duration_of, default=None)
        if slowest
        else next(entries, None)
    )
    if entry is None:
        raise DumpError(
            f"no dumps in {store.directory}; dump_when sets which requests "
            f"get one"
        )
    return entry


def _duration_of(entry: DumpEntry) -> int:
    return entry.duration_ms


def _next_commands(entry: DumpEntry, record: RequestRecord) -> list[str]:
    commands = []
    has_stacks = False
    for suffix, reader in _READERS.items():
        path = entry.path.with_suffix(suffix)
        if path.exists():
            has_stacks = True
            quoted = shlex.quote(str(path))
            commands.append(f"nova-profiler export {quoted} --format html")
            commands.append(f"{reader} {quoted}")
    # A file from elsewhere has no other dumps around it.
    if entry.started_at:
        chosen = f"--route {shlex.quote(record.route)}{_where(entry)}"
        commands.append(f"nova-profiler calls {chosen}")
        commands.append(f"nova-profiler list --slowest {chosen}")
        if has_stacks:
            commands.append(f"nova-profiler top {chosen}")
    return commands


def _where(entry: DumpEntry) -> str:
    """Return --dump-dir as the user gave it, empty if not given."""
    source = click.get_current_context().get_parameter_source("dump_dir")
    if source is not ParameterSource.COMMANDLINE:
        return ""
    return f" --dump-dir {shlex.quote(str(entry.path.parent.parent))}"
