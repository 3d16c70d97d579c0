# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler prune``: removes dumps beyond limits."""

from __future__ import annotations

import click

from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store.retention import Pruned
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.answers import print_json
from nova_profiler.reading.command_line.durations import Duration
from nova_profiler.reading.command_line.options import (
    Finite,
    dump_dir_options,
    json_option,
    store_of,
)
from nova_profiler.reading.over_services.search.absent_dumps import (
    why_not_here,
)
from nova_profiler.reading.screen.terminal import bytes_text, counted
from nova_profiler.trust.folders import UntrustedFolder

# An exbibyte and a century: more is a typing error.
_MOST_MB = 2.0**40
_MOST_HOURS = 876_600.0


@click.command("prune")
@dump_dir_options
@click.option(
    "--max-files", type=click.IntRange(1), help="Keep this many files."
)
@click.option(
    "--max-mb",
    type=Finite(0, _MOST_MB, min_open=True),
    help="Keep this many MiB.",
)
@click.option(
    "--max-age",
    "--max-age-hours",
    "max_age_hours",
    metavar="TIME",
    type=Duration("h", 0, _MOST_HOURS, min_open=True),
    help="Keep only requests younger than this: 30m, 7d, or hours.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed.")
@json_option
def command(
    dump_dir: str | None,
    config_file: str | None,
    max_files: int | None,
    max_mb: float | None,
    max_age_hours: float | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove dumps beyond the limits, oldest first.

    nova-api keeps its own limits; this is to get more room at once.

    \b
    nova-profiler prune --max-age 24h --dry-run
    """
    if max_files is None and max_mb is None and max_age_hours is None:
        raise click.UsageError(
            "give one of --max-files, --max-mb and --max-age"
        )
    directory = store_of(dump_dir, config_file).directory
    if not directory.is_dir():
        raise NovaProfilerError(f"{directory}: no such directory")
    store = DumpStore(
        directory, max_files or 0, max_mb or 0, max_age_hours or 0
    )
    pruned = _pruned(store, dry_run=dry_run)
    removed = [*pruned.dumps, *pruned.halves]
    size = sum(dump.bytes for dump in removed)
    if as_json:
        figures = {
            "dry_run": dry_run,
            "bytes": size,
            "removed": [
                str(directory / dump.day / file)
                for dump in removed
                for file in dump.files
            ],
        }
        print_json(figures)
        return
    if dry_run:
        for dump in removed:
            click.echo(f"{dump.day}/{dump.stem}")
    files = sum(len(dump.files) for dump in removed)
    done = "would remove" if dry_run else "removed"
    # What a worker that died has left.
    halves = (
        f" and {counted(len(pruned.halves), 'half-written file')}"
        if pruned.halves
        else ""
    )
    click.echo(
        f"{done} {counted(len(pruned.dumps), 'dump')}{halves}, "
        f"{counted(files, 'file')}, {bytes_text(size)}"
    )


def _pruned(store: DumpStore, *, dry_run: bool) -> Pruned:
    """Return what is removed; raises where the dumps are elsewhere."""
    try:
        pruned = store.prune(dry_run=dry_run)
    except UntrustedFolder as exc:
        raise NovaProfilerError(f"nothing is removed: {exc.strerror}") from exc
    if not any(pruned) and next(store.entries(), None) is None:
        elsewhere = why_not_here(str(store.directory))
        if elsewhere:
            raise NovaProfilerError(f"nothing is removed: {elsewhere}")
    return pruned
