# SPDX-License-Identifier: Apache-2.0
"""The commands that measure how nova-profiler's own commands read."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.reading import (
    follow,
    history,
    list_dumps,
    merge,
    picture,
    report,
    running,
    serve,
    serve_records,
)
from benchmarks.running.output import begun, finish, json_option, progress


@click.command("report")
@click.option("--lines", type=click.IntRange(1000), default=1_000_000)
@click.option("--runs", type=click.IntRange(1), default=7)
@json_option
def report_command(lines: int, runs: int, json_path: Path | None) -> None:
    """Lines a second that the command report reads, beside grep."""
    console = begun()
    finish(console, report.run(console, lines, runs, progress), json_path)


@click.command("follow")
@click.option("--files", default=1000, type=click.IntRange(follow.HOLDING))
@click.option("--file-kb", default=1024, type=click.IntRange(16))
@click.option("--pairs", default=7, type=click.IntRange(1))
@click.option(
    "--compressed", is_flag=True, help="Compress the files; zgrep for grep."
)
def follow_command(
    files: int, file_kb: int, pairs: int, compressed: bool
) -> None:
    """Follow one request over 1000 files, 1 GB, beside grep -h."""
    console = begun()
    rows = follow.run(console, files, file_kb, pairs, compressed)
    finish(console, ({}, rows))


@click.command("history")
@click.option("--runs", type=click.IntRange(2), default=100)
@click.option("--requests", type=click.IntRange(6000), default=100_000)
@click.option("--pairs", type=click.IntRange(1), default=100)
@json_option
def history_command(
    runs: int, requests: int, pairs: int, json_path: Path | None
) -> None:
    """Time of trend and compare; what compare finds and makes up."""
    console = begun()
    found = history.run(console, runs, requests, pairs, progress)
    finish(console, found, json_path)


@click.command("merge")
@click.option("--profiles", type=click.IntRange(1), default=1000)
@json_option
def merge_command(profiles: int, json_path: Path | None) -> None:
    """Adding up many profiles: time and memory."""
    console = begun()
    finish(console, merge.run(console, profiles, progress), json_path)


@click.command("list")
@click.option("--dumps", type=click.IntRange(1), default=100_000)
@click.option("--runs", type=click.IntRange(1), default=7)
def list_command(dumps: int, runs: int) -> None:
    """Time of list and show --last where there are many dumps."""
    finish(begun(), ({}, list_dumps.measure(dumps, runs)))


@click.command("running")
@click.option("--workers", type=click.IntRange(1), default=16)
@click.option("--requests", type=click.IntRange(1), default=10)
@click.option("--runs", type=click.IntRange(1), default=15)
def running_command(workers: int, requests: int, runs: int) -> None:
    """Time of the command running, where all workers are busy."""
    finish(begun(), ({}, running.measure(workers, requests, runs)))


@click.command("serve")
@click.option("--dumps", type=click.IntRange(1), default=100_000)
@click.option("--runs", type=click.IntRange(1), default=9)
@click.option("--records", type=click.IntRange(0), default=1_000_000)
def serve_command(dumps: int, runs: int, records: int) -> None:
    """Time and memory of the pages over many dumps, logs and a history."""
    began = begun()
    figures = serve.measure(dumps, runs, progress)
    if records:
        figures += serve_records.measure(records, runs, progress)
    finish(began, ({}, figures))


@click.command("picture")
@click.option("--calls", type=click.IntRange(100), default=2_000)
@click.option("--runs", type=click.IntRange(1), default=9)
@json_option
def picture_command(calls: int, runs: int, json_path: Path | None) -> None:
    """Time of the waterfall of a create over five services."""
    finish(begun(), ({}, picture.measure(calls, runs)), json_path)
