# SPDX-License-Identifier: Apache-2.0
"""Opens a compressed log as the text that it holds."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol

from nova_profiler.errors import NovaProfilerError

# The first bytes tell, whatever the file is called.
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
LONGEST_MAGIC = 6

DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class Damaged(NovaProfilerError):
    """An archive cannot be read to its end."""


class Reader(Protocol):
    """What a log is read by."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one read gives, at most *size*; empty at the end."""


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
    return _Checked(_OPENERS[compression](file))


class _Checked:
    """Raises one exception for all that may be wrong with an archive."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read1(self, size: int = -1, /) -> bytes:
        try:
            return self._reader.read1(size)
        except DAMAGED as exc:
            raise Damaged(str(exc)) from exc
        except OSError as exc:
            # bz2 says "Invalid data stream" this way.
            if exc.errno is None:
                raise Damaged(str(exc)) from exc
            raise


class _ZstdReader:
    """zstd frames one after the other; a missing end is an error."""

    def __init__(self, file: IO[bytes], decompressor: Callable[[], Any]):
        self._file = file
        self._new = decompressor
        self._frame: Any = None

    def read1(self, size: int = -1, /) -> bytes:
        while True:
            data = self._unused() or self._file.read(size)
            if not data:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("the archive ends within a frame")
                return b""
            if self._frame is None or self._frame.eof:
                self._frame = self._new()
            try:
                text: bytes = self._frame.decompress(data)
            except Exception as exc:
                raise EOFError(f"not zstd: {exc}") from exc
            if text:
                return text

    def _unused(self) -> bytes:
        if self._frame is None or not self._frame.eof:
            return b""
        unused: bytes = self._frame.unused_data
        # It is handed on once.
        self._frame = None if unused else self._frame
        return unused


def _zstd(file: IO[bytes]) -> Reader:
    for module, new in _ZSTD_MODULES:
        try:
            return _ZstdReader(file, new(importlib.import_module(module)))
        except ImportError:
            continue
    raise Damaged("zstd needs: pip install nova-profiler[zstd]")


_ZSTD_MODULES: tuple[tuple[str, Callable[[Any], Callable[[], Any]]], ...] = (
    # Python 3.14 has its own.
    ("compression.zstd", lambda zstd: zstd.ZstdDecompressor),
    ("zstandard", lambda zstd: zstd.ZstdDecompressor().decompressobj),
)

_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": _zstd,
}
