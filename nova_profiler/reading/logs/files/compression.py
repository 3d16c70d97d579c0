# SPDX-License-Identifier: Apache-2.0
"""Opens a compressed log as the text that it holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol, TypeAlias

from nova_profiler.errors import NovaProfilerError, missing_extra

# The first bytes of a file decide: rotated logs have all kinds of names.
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
LONGEST_MAGIC = 6

# What opens an archive, and its own error for damaged data.
Opener: TypeAlias = "tuple[Callable[[IO[bytes]], Any], type[Exception]]"
_OPENERS: dict[str, Opener] = {
    "gzip": (gzip.open, zlib.error),
    "bzip2": (bz2.open, EOFError),
    "xz": (lzma.open, lzma.LZMAError),
}


class Damaged(NovaProfilerError):
    """An archive cannot be read to its end."""


class Reader(Protocol):
    """Reads a log piece by piece."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return at most *size* bytes by one read, none at the end."""


def compression_of(head: bytes) -> str | None:
    """Return how a file that begins with *head* is compressed."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    return None


def opened(file: IO[bytes], compression: str | None) -> Reader:
    """Return *file* as a reader of its text.

    Raises Damaged, at once or when read, where an archive is not whole.
    """
    if compression is None:
        # A binary file that is opened buffered has read1().
        return file  # type: ignore[return-value]
    open_archive, error = _opener_of(compression)
    return _Checked(open_archive(file), error)


class _Checked:
    """Reads an archive; any error in its data is Damaged."""

    def __init__(self, reader: Reader, error: type[Exception]) -> None:
        self._reader = reader
        self._errors = (EOFError, error)

    def read1(self, size: int = -1, /) -> bytes:
        try:
            return self._reader.read1(size)
        except self._errors as exc:
            raise Damaged(str(exc)) from exc
        except OSError as exc:
            # gzip and bz2 name bad data this way; a disk has an errno.
            if exc.errno is None:
                raise Damaged(str(exc)) from exc
            raise


def _opener_of(compression: str) -> Opener:
    if compression != "zstd":
        return _OPENERS[compression]
    try:
        if sys.version_info >= (3, 14):
            import compression.zstd as zstd
        else:
            import backports.zstd as zstd
    except ImportError as exc:
        missing = missing_extra("zstd needs backports.zstd", "zstd")
        raise Damaged(str(missing)) from exc
    return zstd.open, zstd.ZstdError
