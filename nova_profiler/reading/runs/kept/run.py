# SPDX-License-Identifier: Apache-2.0
"""A kept run: its name, its manifest and its files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.runs.kept.schema import LATEST, SCHEMA
from nova_profiler.record.rows import number_of
from nova_profiler.trust.files import FileError, read_regular

# Engines that read whole directories skip a leading underscore.
MANIFEST = "_run.json"
FOLDER_PREFIX = "run="

# No engine escapes these letters in the name of a directory.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Any other name may be a pattern to an engine.
_PART = re.compile(r"part-[0-9]{1,20}\.parquet")
LARGEST_MANIFEST = 1 << 20


class HistoryError(NovaProfilerError):
    """A run or its history cannot be used; the message has the remedy."""


class Run(NamedTuple):
    """The manifest of a run; times are ISO 8601 in UTC."""

    name: str
    schema: int
    added_at: str
    first_at: str | None
    last_at: str | None
    requests: int
    bytes: int
    parts: tuple[str, ...]
    sources: tuple[str, ...]
    version: str

    @property
    def sort_key(self) -> tuple[str, str]:
        """Return when the run ran, or else when it was added; and its name."""
        return (self.first_at or self.added_at, self.name)


def checked_name(name: str) -> str:
    """Return *name*, or raise if a run cannot have it."""
    # Engines read the directory run=null as a missing value.
    if _NAME.fullmatch(name) is None or name.lower() == "null":
        raise HistoryError(
            f"{name!r}: a run's name is up to 100 letters, digits and . _ -, "
            "the first a letter or a digit"
        )
    return name


def folder_of(directory: Path, name: str) -> Path:
    """Return the folder of the run *name*."""
    return directory / f"{FOLDER_PREFIX}{name}"


def name_of_folder(folder: Path) -> str | None:
    """Return the name of the run in *folder*, None if it has no run."""
    name = folder.name.removeprefix(FOLDER_PREFIX)
    is_run = folder.name.startswith(FOLDER_PREFIX) and _NAME.fullmatch(name)
    return name if is_run else None


def write_manifest(folder: Path, run: Run) -> None:
    """Write the manifest, while the folder is still aside."""
    with (folder / MANIFEST).open("x", encoding="utf-8") as file:
        json.dump(run._asdict(), file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_run(folder: Path) -> Run:
    """Return the run in *folder*.

    Raises if its schema is newer or a part is missing.
    """
    name = folder.name.removeprefix(FOLDER_PREFIX)
    try:
        manifest = read_regular(
            folder / MANIFEST, "a manifest has", LARGEST_MANIFEST
        )
    except FileNotFoundError:
        raise HistoryError(f"run {name}: has no {MANIFEST}") from None
    except OSError as exc:
        raise HistoryError(
            f"run {name}: {MANIFEST} cannot be read: {exc.strerror}"
        ) from None
    except FileError as exc:
        raise HistoryError(f"run {name}: {MANIFEST}: {exc}") from None
    return run_of_manifest(
        name, manifest, lambda part: _is_file(folder / part)
    )


def run_of_manifest(
    name: str, manifest: bytes, is_there: Callable[[str], bool]
) -> Run:
    """Return the run *name* that *manifest* describes.

    Raises HistoryError as read_run() does; *is_there* looks for a part.
    """
    try:
        values = json.loads(manifest)
        schema = _count(values, "schema")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HistoryError(f"run {name}: {MANIFEST} is damaged") from None
    if schema > SCHEMA:
        raise HistoryError(
            f"run {name}: schema {schema} is newer than this version reads "
            f"({SCHEMA}); upgrade nova-profiler"
        )
    run = _run_of(name, values)
    for part in run.parts:
        if not is_there(part):
            raise HistoryError(f"run {name}: {part:.255} is missing")
    return run


def _run_of(name: str, values: dict[str, Any]) -> Run:
    try:
        run = Run(
            name=name,
            schema=_count(values, "schema"),
            added_at=_moment(values["added_at"]),
            first_at=_moment_or_none(values["first_at"]),
            last_at=_moment_or_none(values["last_at"]),
            requests=_count(values, "requests"),
            bytes=_count(values, "bytes"),
            parts=_parts(values["parts"]),
            sources=tuple(str(source) for source in values["sources"]),
            version=str(values["version"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise HistoryError(f"run {name}: {MANIFEST} is damaged") from None
    return run


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A name that no file can have.
        return False


def _count(values: dict[str, Any], name: str) -> int:
    """Return a number of the manifest; raises ValueError for 1e999."""
    return int(number_of(name, values[name]))


def _parts(names: Sequence[str]) -> tuple[str, ...]:
    """Return *names*; raises ValueError for one that no part has, or twice."""
    if not all(map(_PART.fullmatch, names)) or len(set(names)) < len(names):
        raise ValueError("names that no parts have")
    return tuple(names)


def iso_utc(moment: datetime) -> str:
    """Return *moment* as manifests have it; so written, times sort."""
    utc = moment.astimezone(timezone.utc)
    return utc.isoformat(timespec="milliseconds")


def _moment(value: str) -> str:
    """Return the text of a time; raises ValueError for any other text.

    Runs are in the order of these: any text would be the newest run for ever.
    """
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None or not 0 <= moment.timestamp() < LATEST:
        raise ValueError("no time of a request")
    return iso_utc(moment)


def _moment_or_none(value: str | None) -> str | None:
    return None if value is None else _moment(value)
