# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler list``: the dumps, newest or slowest first."""

from __future__ import annotations

import heapq
import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from nova_profiler.dump_store import (
    DumpEntry,
    DumpError,
    DumpStore,
    is_ahead,
)
from nova_profiler.reading.command_line.options import (
    Finite,
    dump_dir_options,
    filter_options,
    json_option,
    limit_option,
    store_of,
)
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.route_option import meant_names
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.record import FAILED, KILLED, RequestRecord

Row = tuple[DumpEntry, RequestRecord]

_STATUSES = re.compile(r"[0-9x]{1,3}(,[0-9x]{1,3})*")


class Wanted(NamedTuple):
    """Which dumps to list, by their names and by the content of files."""

    route: str | None = None
    method: str | None = None
    since: str | None = None
    min_ms: float | None = None
    user: str | None = None
    status: str | None = None
    failed: bool = False

    @property
    def needs_files(self) -> bool:
        """Tell whether the content of files decides, too."""
        return self.user is not None or self.status is not None or self.failed

    @property
    def has_all_in_names(self) -> bool:
        """Tell whether every dump whose name fits is wanted."""
        return not self.needs_files and self.min_ms is None

    def names(self, entries: Iterable[DumpEntry]) -> Iterator[DumpEntry]:
        """Yield those of *entries* whose names fit."""
        is_wanted = meant_names(self.route)
        method = None if self.method is None else self.method.upper()
        for entry in entries:
            if (
                (method is None or entry.method == method)
                # Names have whole milliseconds, rounded.
                and (
                    self.min_ms is None
                    or entry.duration_ms >= round(self.min_ms)
                )
                and is_wanted(entry.route_name)
            ):
                yield entry

    def has(self, record: RequestRecord) -> bool:
        """Tell whether the content of a file fits."""
        if self.failed and record.outcome not in (FAILED, KILLED):
            return False
        if self.min_ms is not None and record.duration_ms < self.min_ms:
            return False
        if self.user is not None and self.user not in (
            record.user_name,
            record.user_id,
            record.project_name,
            record.project_id,
        ):
            return False
        return self.status is None or _has_status(record, self.status)


class Rows(NamedTuple):
    """The dumps to list, and the most that there can be.

    Damaged files that were not opened count, too. ``most`` is None where
    names do not decide.
    """

    rows: list[Row]
    most: int | None


def status_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> str | None:
    """Return statuses in lower case, or refuse what can be none."""
    if value is None:
        return None
    wanted = value.lower().replace(" ", "")
    if not _STATUSES.fullmatch(wanted):
        raise click.BadParameter(
            f"{value!r}: expected a status such as 404, 4xx or 409,5xx",
            ctx,
            param,
        )
    return wanted


@click.command("list")
@dump_dir_options
@filter_options
@click.option("--slowest", is_flag=True, help="Slowest first, not newest.")
@limit_option(20, "How many to list.")
@click.option("--method", help="Only this method.")
@click.option("--min-ms", type=Finite(0), help="Only those this long.")
@click.option("--user", help="Only this user or project, by name or id.")
@click.option(
    "--status",
    callback=status_of,
    help="Only this status: 404, 4xx, or 409,5xx.",
)
@click.option(
    "--failed", is_flag=True, help="Only those that failed or were killed."
)
@json_option
def command(
    dump_dir: str | None,
    config_file: str | None,
    slowest: bool,
    limit: int,
    as_json: bool,
    **wanted: object,
) -> None:
    """List the dumped requests, newest first.

    \b
    nova-profiler list --slowest --route /v2.1/servers/detail --since 2h
    """
    store = store_of(dump_dir, config_file)
    # click's types are those of the fields.
    chosen = Wanted(**wanted)  # type: ignore[arg-type]
    skipped = Skipped()
    rows, most = chosen_rows(store, chosen, limit, slowest, skipped)
    # Only here: it takes a good part of a short run, which may fail before.
    from nova_profiler.reading.requests.dump_table import (
        figures_of,
        print_dumps,
    )
    from nova_profiler.reading.screen.terminal import terminal

    if as_json:
        click.echo(json.dumps([figures_of(*row) for row in rows], indent=2))
    elif rows:
        print_dumps(terminal(), rows)
        _print_more(len(rows), most, limit)
        _print_ahead(rows)
    else:
        click.echo(f"no such dumps in {store.directory}", err=True)
    skipped.print()


def chosen_rows(
    store: DumpStore,
    wanted: Wanted,
    limit: int,
    slowest: bool,
    skipped: Skipped,
) -> Rows:
    """Return the first *limit* dumps that are *wanted*; open few others."""
    foreign: list[str] = []
    named = _Counted(wanted.names(store.entries(foreign, wanted.since)))
    entries: Iterator[DumpEntry] = iter(named)
    if slowest and wanted.needs_files:
        entries = iter(sorted(entries, key=_slowest_first))
    elif slowest:
        # More than the limit, since a few may be damaged.
        entries = iter(
            heapq.nsmallest(limit + 100, entries, key=_slowest_first)
        )
    if wanted.needs_files:
        entries = with_progress(entries, "reading dumps", None)
    rows: list[Row] = []
    damaged = 0
    for entry in entries:
        try:
            record = store.read(entry)
        except DumpError as exc:
            skipped.add(str(exc))
            damaged += 1
            continue
        if wanted.has(record):
            rows.append((entry, record))
            if len(rows) == limit:
                break
    if not wanted.has_all_in_names:
        skipped.add_foreign(foreign)
        return Rows(rows, None)
    most = named.count_all() - damaged
    skipped.add_foreign(foreign)
    return Rows(rows, most)


class _Counted:
    """Yields dumps and counts them."""

    def __init__(self, entries: Iterator[DumpEntry]) -> None:
        self._entries = entries
        self._count = 0

    def __iter__(self) -> Iterator[DumpEntry]:
        for entry in self._entries:
            self._count += 1
            yield entry

    def count_all(self) -> int:
        """Return the number of all dumps, by their names."""
        return self._count + sum(1 for _ in self._entries)


def _print_more(listed: int, most: int | None, limit: int) -> None:
    if most is None and listed == limit:
        click.echo(f"the first {listed}; --limit for more")
    elif most is not None and most > listed == limit:
        click.echo(f"{listed} of at most {most}; --limit for more")


def _print_ahead(rows: list[Row]) -> None:
    now = time.time()
    ahead = sum(is_ahead(entry, now) for entry, _ in rows)
    if ahead:
        click.echo(
            f"{ahead} of them dated in the future: a clock was ahead, or this "
            "one is behind"
        )


def _slowest_first(entry: DumpEntry) -> int:
    return -entry.duration_ms


def _has_status(record: RequestRecord, wanted: str) -> bool:
    status = str(record.status)
    return any(
        len(one) == len(status)
        and all(a in ("x", b) for a, b in zip(one, status, strict=True))
        for one in wanted.split(",")
    )
