# SPDX-License-Identifier: Apache-2.0
"""Files of requests that are on, which outlive a worker that is killed.

A worker keeps one for each request that takes long, and takes it away when
the request ends. What is left of a worker that has ended is the trace of the
requests which it was killed for.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from nova_profiler.dump_store.asking import is_listening
from nova_profiler.dump_store.names import (
    DUMP_SUFFIX,
    DumpEntry,
    name_of_id,
    name_of_route,
)
from nova_profiler.dump_store.opened import NEW_FILE, Directory
from nova_profiler.dump_store.processes import (
    ALIVE,
    ENDED,
    UNKNOWN,
    Process,
    is_same_kernel,
    process_of,
    state_of,
)
from nova_profiler.dump_store.reading import DumpError, read_trace
from nova_profiler.record import RequestRecord
from nova_profiler.trust.folders import FOLDER_ITSELF, UntrustedFolder

RUNNING_FOLDER = ".running"
SOCKET_SUFFIX = ".sock"
# As many traces are looked at: one request of a worker has one.
MAX_TRACES = 2_000

# A trace whose service does not come back for it is kept so long, and so many
# of them are.
LEFT_S = 7 * 86_400.0
MAX_LEFT = 500

_ASIDE_SUFFIX = ".new"
_TAKEN_SUFFIX = ".taken"
_NAME = re.compile(
    r"(?P<worker>(?P<process>[0-9]+-[0-9]+-[0-9a-f]{8}-[0-9]+)-[0-9a-f]{8})"
    r"(?:-[0-9]{1,18})?(?P<suffix>\.sock|\.json|\.new|\.[0-9a-f]{8}\.taken)"
)
# A worker on another host, or in a container that hides it, writes the file
# each second. One as old as this is taken for a trace.
_SILENT_S = 600.0
# A worker that took a trace has made a record of it long before.
_TAKING_S = 60.0


class Trace(NamedTuple):
    """The file of a request whose worker has ended."""

    path: Path
    process: Process


def running_folder(directory: Path) -> Path:
    """Return where the files of requests that are on are kept."""
    return directory / RUNNING_FOLDER


@contextmanager
def opened_running(
    directory: Directory, *, make: bool = False
) -> Iterator[Path]:
    """Give the folder of a dump directory, by a path through a descriptor.

    What is done by that path is done in the folder that was opened, whatever
    is put in its place meanwhile. No other user can write to it. Raises
    OSError, and an UntrustedFolder where the dump directory itself is
    refused.
    """
    with directory.opened(make=make) as opened:
        try:
            fd = opened.folder(RUNNING_FOLDER, make=make)
        except UntrustedFolder as exc:
            raise OSError(exc.errno, exc.strerror) from None
        yield Path(f"/proc/self/fd/{fd}")


@contextmanager
def seen_running(directory: Path) -> Iterator[Path]:
    """Give the same to a reader, of a directory that anyone may have made.

    Raises OSError, a NotADirectoryError for a link.
    """
    fd = os.open(running_folder(directory), FOLDER_ITSELF)
    try:
        yield Path(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def write_trace(path: Path, record: RequestRecord) -> None:
    """Write *record* to *path*, in the place of what is there."""
    aside = path.with_suffix(_ASIDE_SUFFIX)
    content = json.dumps(record.to_dict(), separators=(",", ":")).encode()
    try:
        _write_new(aside, content)
    except FileExistsError:
        # The disk was full when this one was begun.
        os.unlink(aside)
        _write_new(aside, content)
    os.rename(aside, path)


def _write_new(path: Path, content: bytes) -> None:
    with open(os.open(path, NEW_FILE, 0o600), "wb") as file:
        file.write(content)


def workers_in(
    folder: Path, foreign: list[str]
) -> Iterator[tuple[str, Process]]:
    """Yield the name of each socket and the process that made it.

    The names of links and files that are called so are added to *foreign*.
    Raises OSError for a folder that cannot be read.
    """
    for name in _names(folder, SOCKET_SUFFIX):
        process = _process_of(name)
        if process is None:
            continue
        try:
            mode = os.lstat(folder / name).st_mode
        except FileNotFoundError:
            # Its worker has ended meanwhile.
            continue
        if stat.S_ISSOCK(mode):
            yield name, process
        else:
            foreign.append(f"{RUNNING_FOLDER}/{name}")


def traces_in(folder: Path, *, of_living: bool = False) -> list[Trace]:
    """Return the files of requests whose workers have ended.

    With *of_living* the others instead. Empty where there is no folder.
    """
    traces: list[Trace] = []
    states: dict[Process, str] = {}
    with suppress(OSError):
        for name in _names(folder, DUMP_SUFFIX, _TAKEN_SUFFIX):
            process = _process_of(name)
            path = folder / name
            if process is None or len(traces) >= MAX_TRACES:
                continue
            if process not in states:
                states[process] = _state_of(process, path)
            if _is_left(path, states[process]) is not of_living:
                traces.append(Trace(path, process))
    return traces


def trace_entries(
    directory: Path, foreign: list[str]
) -> list[tuple[DumpEntry, RequestRecord]]:
    """Return traces of requests as dumps, with their records.

    The names of damaged ones and of links are added to *foreign*.
    """
    found: list[tuple[DumpEntry, RequestRecord]] = []
    try:
        with seen_running(directory) as folder:
            for trace in traces_in(folder):
                name = trace.path.name
                if not name.endswith(DUMP_SUFFIX):
                    continue
                try:
                    record = record_of(trace)
                except DumpError:
                    if os.path.lexists(trace.path):
                        foreign.append(f"{RUNNING_FOLDER}/{name}")
                    continue
                path = running_folder(directory) / name
                found.append((_entry_of(path, record), record))
    except NotADirectoryError:
        if directory.is_dir():
            foreign.append(RUNNING_FOLDER)
    except OSError:
        # No worker has served a slow request yet, or it is another user's.
        pass
    return found


def record_of(trace: Trace) -> RequestRecord:
    """Return the record in *trace*, no link; raises DumpError."""
    return read_trace(trace.path)


def service_of(trace: Trace) -> str | None:
    """Return the service whose request it was, None if that is unknown."""
    try:
        return record_of(trace).service
    except DumpError:
        return None


def taken(trace: Trace) -> RequestRecord | None:
    """Return the record in *trace*, whose file is gone then.

    One of several that try has it; None for the others, and for a file that
    cannot be read.
    """
    stem = trace.path.name.partition(".")[0]
    own = trace.path.with_name(f"{stem}.{secrets.token_hex(4)}{_TAKEN_SUFFIX}")
    try:
        os.rename(trace.path, own)
        return record_of(trace._replace(path=own))
    except (OSError, DumpError):
        return None


def forget(trace: Trace) -> None:
    """Remove what taken() left of a trace whose record has been made."""
    stem = trace.path.name.partition(".")[0]
    for path in trace.path.parent.glob(f"{stem}.*{_TAKEN_SUFFIX}"):
        with suppress(OSError):
            os.unlink(path)


def remove_leavings(folder: Path, kept: Collection[str] = ()) -> None:
    """Remove from *folder* what workers that have ended left there.

    That is sockets, unfinished files, and traces that none has taken: those
    older than LEFT_S and all but the newest MAX_LEFT. *kept* are the names of
    those that stay in any case.
    """
    with suppress(OSError):
        for name in _names(folder, SOCKET_SUFFIX, _ASIDE_SUFFIX):
            process = _process_of(name)
            if process is None or state_of(process) in (ALIVE, UNKNOWN):
                continue
            _remove(folder / name)
        left = [
            (_age_s(trace.path), trace.path)
            for trace in traces_in(folder)
            if trace.path.name not in kept
        ]
        for place, (age_s, path) in enumerate(sorted(left)):
            if age_s > LEFT_S or place >= MAX_LEFT:
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)


def _age_s(path: Path) -> float:
    """Return how long ago *path* was written; 0 where it is gone."""
    try:
        return abs(time.time() - os.lstat(path).st_ctime)
    except OSError:
        return 0.0


def _names(folder: Path, *suffixes: str) -> list[str]:
    with os.scandir(folder) as found:
        return sorted(
            item.name for item in found if item.name.endswith(suffixes)
        )


def _process_of(name: str) -> Process | None:
    found = _NAME.fullmatch(name)
    return None if found is None else process_of(found["process"])


def _state_of(process: Process, path: Path) -> str:
    """Return the state of the worker that wrote *path*."""
    state = state_of(process)
    found = _NAME.fullmatch(path.name)
    if state != UNKNOWN or found is None or not is_same_kernel(process):
        return state
    # In another container: its socket knows whether it still listens.
    name = found["worker"] + SOCKET_SUFFIX
    return UNKNOWN if is_listening(path.parent, name) else ENDED


def _is_left(path: Path, state: str) -> bool:
    """Return whether *path* is a trace of a worker that has ended."""
    if state == ALIVE:
        return False
    try:
        age_s = abs(time.time() - os.lstat(path).st_ctime)
    except OSError:
        return False
    if path.suffix == _TAKEN_SUFFIX:
        # Renamed then: the worker that took it has ended as well.
        return age_s > _TAKING_S
    return state != UNKNOWN or age_s > _SILENT_S


def _entry_of(path: Path, record: RequestRecord) -> DumpEntry:
    return DumpEntry(
        str(path.parent),
        path.stem,
        # As a dump's name has it.
        f"{record.started_at[:23]}+00:00",
        round(max(0.0, record.duration_ms)),
        record.method,
        name_of_route(record.route),
        name_of_id(record.request_id or ""),
    )
