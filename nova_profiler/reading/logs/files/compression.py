# SPDX-License-Identifier: Apache-2.0
"""Opens a compressed log as the text that it holds."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import IO, Protocol, TypeAlias

from nova_profiler.errors import NovaProfilerError, missing_extra

# The first bytes of a file decide: rotated logs have all kinds of names.
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
LONGEST_MAGIC = 6
_BEGINNINGS = tuple(_MAGIC)

# What an archive is read by, and what comes out of it at a time: a few
# kilobytes may hold gigabytes.
_READ_BYTES = 64 * 1024
_MOST_BYTES = 256 * 1024
# What one archive's dictionary or window may have. More than any program takes
# unless it is asked to.
_MOST_WINDOW_LOG = 27
_MOST_DICTIONARY = 160 * 1024 * 1024


class _Stream(Protocol):
    """Decompresses one stream of an archive, as bz2 and lzma do."""

    @property
    def eof(self) -> bool:
        """Return whether the stream's end mark was reached."""

    @property
    def needs_input(self) -> bool:
        """Return whether there is nothing more without more input."""

    @property
    def unused_data(self) -> bytes:
        """Return the input after the end mark."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most *max_length* bytes more."""


# What makes a stream, its errors for damaged data, and whether what
# follows the last stream may be anything, as its program has it.
_Kind: TypeAlias = (
    "tuple[Callable[[], _Stream], tuple[type[Exception], ...], bool]"
)


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
    return _Archive(file, *_kind_of(compression))


class _Archive:
    """Reads the streams of an archive; any error in its data is Damaged.

    What it holds in memory is bounded by what is asked for, by one read of
    the file and by the window of its kind.
    """

    def __init__(
        self,
        file: IO[bytes],
        new_stream: Callable[[], _Stream],
        errors: tuple[type[Exception], ...],
        may_be_followed: bool,
    ) -> None:
        self._file = file
        self._new_stream = new_stream
        self._errors = errors
        self._may_be_followed = may_be_followed
        self._stream: _Stream | None = new_stream()
        # What was read of the file and is not decompressed yet.
        self._input = b""

    def read1(self, size: int = -1, /) -> bytes:
        most = min(size, _MOST_BYTES) if size > 0 else _MOST_BYTES
        while self._stream is not None:
            if self._stream.eof:
                self._begin_next(self._stream.unused_data)
                continue
            is_end = False
            if self._stream.needs_input and not self._input:
                self._input = self._file.read(_READ_BYTES)
                is_end = not self._input
            if found := self._decompressed(self._stream, most):
                return found
            if is_end and not self._stream.eof:
                raise Damaged("it ends before its end mark")
        return b""

    def _begin_next(self, rest: bytes) -> None:
        """Begin the stream after this one; zeros may lie between."""
        while not (rest := rest.lstrip(b"\0")):
            rest = self._file.read(_READ_BYTES)
            if not rest:
                self._stream = None
                return
        if len(rest) < LONGEST_MAGIC:
            rest += self._file.read(_READ_BYTES)
        if self._may_be_followed and not rest.startswith(_BEGINNINGS):
            self._stream = None
            return
        self._stream = self._new_stream()
        self._input = rest

    def _decompressed(self, stream: _Stream, most: int) -> bytes:
        data, self._input = self._input, b""
        try:
            return stream.decompress(data, most)
        except self._errors as exc:
            raise Damaged(str(exc)) from exc


class _GzipStream:
    """Decompresses one stream of gzip, checksum included."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        tail = self._stream.unconsumed_tail
        return self._stream.decompress(tail + data, max_length)


_KINDS: dict[str, _Kind] = {
    "gzip": (_GzipStream, (zlib.error,), False),
    "bzip2": (bz2.BZ2Decompressor, (OSError, ValueError), True),
    "xz": (
        partial(
            lzma.LZMADecompressor,
            format=lzma.FORMAT_XZ,
            memlimit=_MOST_DICTIONARY,
        ),
        (lzma.LZMAError,),
        True,
    ),
}


def _kind_of(compression: str) -> _Kind:
    if compression != "zstd":
        return _KINDS[compression]
    try:
        if sys.version_info >= (3, 14):
            import compression.zstd as zstd
        else:
            import backports.zstd as zstd
    except ImportError as exc:
        missing = missing_extra("zstd needs backports.zstd", "zstd")
        raise Damaged(str(missing)) from exc
    options: dict[int, int] = {
        zstd.DecompressionParameter.window_log_max: _MOST_WINDOW_LOG
    }
    new_stream = partial(zstd.ZstdDecompressor, options=options)
    return new_stream, (zstd.ZstdError,), False
