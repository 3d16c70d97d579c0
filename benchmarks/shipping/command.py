# SPDX-License-Identifier: Apache-2.0
"""The command that puts many records through each shipper that is here."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.output import begun, finish, json_option, progress
from benchmarks.shipping import clickhouse, rsyslog
from benchmarks.shipping.records import Sums, write_records

_MANY, _FEW = 1_000_000, 20_000
_MOST_S = 900.0


@click.command("shippers")
@click.option("--records", type=click.IntRange(1))
@click.option("--quick", is_flag=True, help=f"{_FEW} records.")
@json_option
def shippers_command(
    records: int | None, quick: bool, json_path: Path | None
) -> None:
    """Records through rsyslog and into ClickHouse: all there, all equal.

    1 000 000 of them; both shippers where they are installed.
    """
    console = begun()
    count = records or (_FEW if quick else _MANY)
    with tempfile.TemporaryDirectory() as folder:
        rows = _measured(console, Path(folder), count)
    finish(console, ({}, rows), json_path)


def _measured(console: Console, folder: Path, count: int) -> list[Figure]:
    log_file = folder / "profiler.jsonl"
    progress(f"writing {count} records")
    sent = write_records(log_file, count)
    size_mb = log_file.stat().st_size / 1e6
    console.print(f"{count} records, {size_mb:.0f} MB: {sent}")
    rows = []
    if rsyslog.program() is None:
        progress("rsyslogd is not installed: left out")
    else:
        progress("through rsyslog")
        came, seconds = rsyslog.shipped(log_file, count, _MOST_S)
        rows += _rows(console, "rsyslog", sent, came, seconds)
    if not clickhouse.is_here():
        progress("chdb is not installed: left out")
    else:
        progress("into ClickHouse")
        came, facts = clickhouse.stored(log_file, folder / "clickhouse")
        rows += _rows(console, "ClickHouse", sent, came, facts["seconds"])
    return rows


def _rows(
    console: Console, name: str, sent: Sums, came: Sums, seconds: float
) -> list[Figure]:
    console.print(
        f"{name}: {came.records} records in {seconds:.1f} s, "
        f"{came.records / seconds:.0f} a second: {came}"
    )
    apart = sum(abs(a - b) for a, b in zip(sent, came, strict=True))
    lost = abs(sent.records - came.records)
    return [
        Figure(f"{name}: records that differ in number", lost, 0, "records"),
        Figure(f"{name}: sums that differ, by", apart, 0, "in all"),
    ]
