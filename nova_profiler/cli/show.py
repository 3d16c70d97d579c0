# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler show``: the page of one request."""

from __future__ import annotations

import json
import shlex

import click

from nova_profiler.cli.options import (
    dump_dir_options,
    json_option,
    store_of,
)
from nova_profiler.dump_store import DumpEntry, DumpError, DumpStore
from nova_profiler.record import RequestRecord


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
    is_path = request_id is not None and request_id.endswith(".json")
    if is_path and dump_dir is None and config_file is None:
        # A file that somebody sent needs no dump directory.
        dump_dir = "."
    store = store_of(dump_dir, config_file)
    try:
        entry = _chosen(store, request_id, slowest)
        record = store.read(entry)
    except DumpError as exc:
        raise click.ClickException(str(exc)) from exc
    if as_json:
        fields = {**record.to_dict(), "file": str(entry.path)}
        click.echo(json.dumps(fields, indent=2))
        return
    from nova_profiler.reports.request_page import print_request
    from nova_profiler.reports.terminal import terminal

    print_request(terminal(), record, _next_commands(entry, record))


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
            f"no dumps in {store.directory}; dump_when says which requests "
            f"get one"
        )
    return entry


def _duration_of(entry: DumpEntry) -> int:
    return entry.duration_ms


def _next_commands(entry: DumpEntry, record: RequestRecord) -> list[str]:
    where = shlex.quote(str(entry.path.parent.parent))
    route = shlex.quote(record.route)
    commands = [
        f"nova-profiler calls --dump-dir {where} --route {route}",
        f"nova-profiler list --dump-dir {where} --route {route} --slowest",
    ]
    for suffix, reader in (
        (".pyisession", "pyinstrument --load"),
        (".prof", "python -m pstats"),
    ):
        profile = entry.path.with_suffix(suffix)
        if profile.exists():
            commands.insert(0, f"{reader} {shlex.quote(str(profile))}")
    return commands
