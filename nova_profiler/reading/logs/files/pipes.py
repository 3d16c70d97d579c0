# SPDX-License-Identifier: Apache-2.0
"""Copies of pipes, which a report may have to read twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

from nova_profiler.reading.logs.files.sources import (
    NOT_READABLE,
    Source,
    file_of,
    source_of_file,
)
from nova_profiler.reading.logs.unread import ReadError, Unread

_READ_BYTES = 1024 * 1024
# For large files: /tmp is often memory. Other users write there, too;
# tempfile makes names that they cannot guess.
_LARGE_FILES = "/var/tmp"  # noqa: S108 - by names as above
_DESCRIPTORS = "/proc/self/fd"
# What comes may have no end, and others need room on that disk as well.
_SHARE_OF_ROOM = 2


@contextmanager
def copied(
    sources: Sequence[Source],
    unread: Unread,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[list[Source]]:
    """Give *sources* with a temporary copy in the place of each pipe.

    A compressed one is copied as it comes. Raises ReadError where there is
    no room; TMPDIR names another folder.
    """
    with ExitStack() as files:
        yield [
            source
            if source.size is not None
            else _copy_of(source, files, unread, on_bytes)
            for source in sources
        ]


def _copy_of(
    source: Source,
    files: ExitStack,
    unread: Unread,
    on_bytes: Callable[[int], None] | None,
) -> Source:
    folder = _folder()
    try:
        most = shutil.disk_usage(folder).free // _SHARE_OF_ROOM
        copy = files.enter_context(_new_file(folder))
        for chunk in _chunks_of(source, unread):
            copy.write(chunk)
            if copy.tell() > most:
                raise ReadError(
                    f"{source.name}: more than half of the room in {folder} "
                    f"has come through, {most >> 20} MiB, and it has not "
                    "ended; write it to a file, or set TMPDIR to where there "
                    "is more room"
                )
            if on_bytes is not None:
                on_bytes(len(chunk))
        copy.flush()
    except OSError as exc:
        raise ReadError(
            f"{folder}: no room for a copy of {source.name}: "
            f"{exc.strerror or exc}; set TMPDIR to where there is"
        ) from exc
    return source_of_file(_path_of(copy))._replace(
        name=source.name, local=source.local, stated=source.stated
    )


def _new_file(folder: str) -> IO[bytes]:
    if os.path.isdir(_DESCRIPTORS):
        # Without a name: it is gone with the process, however that ends.
        return tempfile.TemporaryFile(dir=folder)
    return tempfile.NamedTemporaryFile(prefix="nova-profiler-", dir=folder)


def _path_of(file: IO[bytes]) -> str:
    """Return how this process, and those that it starts, open *file*."""
    if isinstance(file.name, int):
        return f"/proc/{os.getpid()}/fd/{file.fileno()}"
    return file.name


def _chunks_of(source: Source, unread: Unread) -> Iterator[bytes]:
    try:
        with file_of(source) as file:
            yield from _read(file)
    except OSError as exc:
        unread.add(NOT_READABLE, f"{source.name}: {exc.strerror or exc}")


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_READ_BYTES):
        yield chunk


def _folder() -> str:
    is_usable = os.access(_LARGE_FILES, os.W_OK | os.X_OK)
    is_set = any(name in os.environ for name in ("TMPDIR", "TEMP", "TMP"))
    return _LARGE_FILES if is_usable and not is_set else tempfile.gettempdir()
