# SPDX-License-Identifier: Apache-2.0
"""Reads the records from files that the option log_file made."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import IO, Any

import click

from nova_profiler.cli.progress import with_progress
from nova_profiler.cli.skipped import Skipped
from nova_profiler.dump_store import record_of_json
from nova_profiler.record import RecordError, RequestRecord

# A record without its timeline is a few KiB; this is no line of ours.
_LONGEST_LINE = 16 * 1024 * 1024


def records_of_files(
    files: Sequence[str], skipped: Skipped
) -> Iterator[RequestRecord]:
    """Yield the record of each line; other lines are named in *skipped*."""
    for name in files:
        try:
            with _opened(name) as lines:
                yield from _records_of(name, lines, skipped)
        except (OSError, EOFError, zlib.error) as exc:
            reason = getattr(exc, "strerror", None) or exc
            raise click.ClickException(f"{name}: {reason}") from exc


def _records_of(
    name: str, file: IO[bytes], skipped: Skipped
) -> Iterator[RequestRecord]:
    label = "standard input" if name == "-" else os.path.basename(name)
    lines = with_progress(_lines_of(file), label, None)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > _LONGEST_LINE:
                raise RecordError("too long for a record")
            yield record_of_json(line)
        except RecordError as exc:
            skipped.add(f"{label}:{number}: {exc}")


def _lines_of(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE + 1):
        # Only what shows that it is too long is kept of such a line.
        rest = line
        while len(rest) > _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE + 1)
        yield line


def _opened(name: str) -> Any:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    if name.endswith(".gz"):
        return gzip.open(name, "rb")
    return open(name, "rb")
