# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler size``: what the records of a whole fleet come to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

import click

from nova_profiler.dump_store import DumpError, DumpStore
from nova_profiler.dump_store.names import COMPANION_SUFFIXES, DumpEntry
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.options import (
    Finite,
    json_option,
    limit_option,
)
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.over_services.search.absent_dumps import (
    none_at_all,
)
from nova_profiler.reading.requests.log_file_records import records_of_logs
from nova_profiler.record import RequestRecord


class OfService(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases
    """``SERVICE=NUMBER``."""

    name = "SERVICE=NUMBER"

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, float]:
        """Return service and number, or refuse what is neither."""
        service, sign, number = str(value).rpartition("=")
        if not sign or not service.strip():
            self.fail(
                f"{value!r}: expected SERVICE=NUMBER, such as nova-api=200",
                param,
                ctx,
            )
        return service.strip(), self._kind.convert(number, param, ctx)


@click.command("size")
@click.argument("log_files", nargs=-1, metavar="[LOG]...")
@click.option(
    "--dump-dir",
    type=click.Path(exists=True, file_okay=False),
    help="Dumps to weigh; without LOG their records are used for all sums.",
)
@click.option(
    "--processes",
    multiple=True,
    type=OfService(click.IntRange(0)),
    help="How many processes a service has; without it, as many as are seen.",
)
@click.option(
    "--rate",
    multiple=True,
    type=OfService(Finite(0)),
    help="Records a second of all its processes; without it, each process "
    "makes as many as it did.",
)
@click.option(
    "--slow-ms",
    type=Finite(0.001),
    default=1000.0,
    show_default=True,
    help="What takes at least this has a dump: nova.conf's slow_ms.",
)
@click.option(
    "--statsd-labels",
    type=click.Choice(["none", "dogstatsd"]),
    default="none",
    show_default=True,
    help="The option statsd_labels.",
)
@limit_option(50_000, "How many records to read at most.")
@json_option
def command(
    log_files: tuple[str, ...],
    dump_dir: str | None,
    processes: tuple[tuple[str, int], ...],
    rate: tuple[tuple[str, float], ...],
    slow_ms: float,
    statsd_labels: str,
    limit: int,
    as_json: bool,
) -> None:
    """Reckon what the records of a fleet come to: bytes, lines, metrics.

    LOG is what the option log_file wrote, of one process or of many: a few
    minutes of a usual hour. Each record is given to the parts that write
    lines and metrics, and what these make is counted, then multiplied.

    \b
    nova-profiler size /var/log/nova/profiler.jsonl \\
        --processes nova-api=200 --rate nova-api=2000
    """
    if not log_files and dump_dir is None:
        raise click.UsageError(
            "give what the option log_file wrote, or --dump-dir",
            click.get_current_context(),
        )
    skipped = Skipped()
    records, dumps = _read(log_files, dump_dir, limit, skipped)
    if not records and dump_dir is not None:
        _print_nothing(dump_dir, as_json, skipped)
        return
    # Only here: it loads what writes the records, of the other wing.
    from nova_profiler.reading.sizing.measured import weighed
    from nova_profiler.reading.sizing.page import print_loads
    from nova_profiler.reading.sizing.reckoned import loads_of

    weights = weighed(records, slow_ms, statsd_labels, dumps)
    _refuse_unknown(weights, [name for name, _ in (*processes, *rate)])
    loads = loads_of(weights, dict(processes), dict(rate))
    if as_json:
        figures = {
            "records": len(records),
            "is_whole": len(records) < limit,
            "services": [asdict(load) for load in loads],
        }
        print_json(figures)
    else:
        print_loads(loads, weights, slow_ms)
        if not log_files:
            click.echo(
                "of dumps: where only slow ones are dumped, these weigh more "
                "than others do"
            )
        if len(records) == limit:
            first = "record" if limit == 1 else f"{limit} records"
            click.echo(f"the first {first}; --limit for more")
    skipped.print()


def _read(
    log_files: Sequence[str],
    dump_dir: str | None,
    limit: int,
    skipped: Skipped,
) -> tuple[list[RequestRecord], list[tuple[str, int]]]:
    """Return at most *limit* records, and service and bytes of the dumps."""
    dumps: list[tuple[str, int]] = []
    records: list[RequestRecord] = []
    if dump_dir is not None:
        for record, size in _dumps(DumpStore(dump_dir), limit, skipped):
            dumps.append((record.service, size))
            if not log_files:
                records.append(record)
    if log_files:
        records = list(islice(records_of_logs(log_files, skipped), limit))
    return records, dumps


def _print_nothing(dump_dir: str, as_json: bool, skipped: Skipped) -> None:
    if as_json:
        print_json({"records": 0, "is_whole": True, "services": []})
    say_nothing_found(
        f"no dump in {dump_dir} can be read"
        if any(DumpStore(dump_dir).entries())
        else none_at_all(dump_dir)
    )
    skipped.print()


def _refuse_unknown(known: Iterable[str], asked: Sequence[str]) -> None:
    names = sorted(known)
    for name in asked:
        if name not in names:
            raise NovaProfilerError(
                f"no record of {name} in these files; they have those of "
                f"{', '.join(names)}"
            )


def _dumps(
    store: DumpStore, limit: int, skipped: Skipped
) -> Iterator[tuple[RequestRecord, int]]:
    """Yield the newest records with the bytes of their files."""
    foreign: list[str] = []
    entries = list(islice(store.entries(foreign), limit))
    skipped.add_foreign(foreign)
    for entry in with_progress(entries, "reading dumps", len(entries)):
        try:
            yield store.read(entry), _size(entry)
        except DumpError as exc:
            skipped.add(str(exc))
        except FileNotFoundError:
            # nova-api prunes meanwhile.
            skipped.add(f"{entry.path}: is gone by now")


def _size(entry: DumpEntry) -> int:
    size = os.path.getsize(entry.path)
    for suffix in COMPANION_SUFFIXES:
        try:
            size += os.path.getsize(entry.path.with_suffix(suffix))
        except FileNotFoundError:
            continue
    return size
