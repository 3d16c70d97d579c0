# SPDX-License-Identifier: Apache-2.0
"""Copies of pipes, which a report may have to read twice."""

from __future__ import annotations

import os
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
_LARGE_FILES = "/var/tmp"  # noqa: S108


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
        copy = files.enter_context(_new_file(folder))
        for chunk in _chunks_of(source, unread):
            copy.write(chunk)
            if on_bytes is not None:
                on_bytes(len(chunk))
        copy.flush()
    except OSError as exc:
        raise ReadError(
            f"{folder}: no room for a copy of {source.name}: "
            f"{exc.strerror or exc}; set TMPDIR to where there is"
        ) from exc
    return source_of_file(copy.name)._replace(
        name=source.name, local=source.local
    )


def _new_file(folder: str) -> IO[bytes]:
    return tempfile.NamedTemporaryFile(prefix="nova-profiler-", dir=folder)


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
