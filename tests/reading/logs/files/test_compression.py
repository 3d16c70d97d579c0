# SPDX-License-Identifier: Apache-2.0
"""Archives are read piece by piece, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from archives import COMPRESSORS, zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.reading.logs.files.compression import (
    Damaged,
    compression_of,
    opened,
)

TEXT = b"2026-11-21 10:35:01.123 1 INFO x [-] y\n" * 1000
KINDS = sorted(COMPRESSORS)


def pieces_of(archive, size=-1, file=None):
    """Yield what is read of *archive*, *size* bytes at a time."""
    reader = opened(file or io.BytesIO(archive), compression_of(archive))
    while piece := reader.read1(size):
        yield piece


def text_of(archive, size=-1):
    """Return the whole text of *archive*."""
    return b"".join(pieces_of(archive, size))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [-1, 1000, 1 << 20])
def test_the_text_comes_back(kind, size):
    """Of one stream, and of several that were put together."""
    archive = COMPRESSORS[kind](TEXT)

    assert text_of(archive, size) == TEXT
    assert text_of(archive * 3, size) == TEXT * 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_of_nothing(kind):
    """It has no text and no fault, before others or alone."""
    archive = COMPRESSORS[kind](b"")

    assert text_of(archive) == b""
    assert text_of(archive * 50 + COMPRESSORS[kind](TEXT)) == TEXT


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2"])
def test_zeros_after_the_end_are_no_fault(kind):
    """Tapes and block devices have them; longer than one read as well."""
    archive = COMPRESSORS[kind](TEXT)

    assert text_of(archive + bytes(200_000)) == TEXT
    assert text_of(archive + bytes(8) + archive) == TEXT * 2


@pytest.mark.parametrize("kind", ["xz", "bz2"])
def test_anything_may_follow_as_their_programs_have_it(kind):
    """xz and bzip2 ignore it."""
    assert text_of(COMPRESSORS[kind](TEXT) + b"no archive at all" * 9) == TEXT


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_what_follows_is_a_fault_where_it_is_one_to_their_programs(kind):
    """The text before it is good."""
    pieces = pieces_of(COMPRESSORS[kind](TEXT) + b"no archive at all" * 9)
    found = []

    with pytest.raises(Damaged):
        found.extend(pieces)

    assert b"".join(found) == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_cut_off_is_damaged_wherever_that_is(kind):
    """What came before is good."""
    archive = COMPRESSORS[kind](bytes(range(256)) * 20)
    least = 6 if kind == "xz" else 4

    for end in range(least, len(archive)):
        found = []
        with pytest.raises(Damaged):
            found.extend(pieces_of(archive[:end]))
        assert (bytes(range(256)) * 20).startswith(b"".join(found))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_damage_or_text(kind, data):
    """No other error, whichever byte is another one."""
    archive = bytearray(COMPRESSORS[kind](TEXT))
    place = data.draw(st.integers(6, len(archive) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))

    with suppress(Damaged):
        text_of(bytes(archive))


BOMBS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}


class Counted(io.BytesIO):
    """A file that notes how much was read of it."""

    most_read = 0

    def read(self, size=-1):
        self.most_read = max(self.most_read, size if size >= 0 else 1 << 60)
        return super().read(size)


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_a_small_archive_of_much_text_takes_little_memory(kind):
    """No read gives more than was asked for, or holds more."""
    archive = BOMBS[kind](bytes(64 * 1024 * 1024))
    file = Counted(archive)
    size = 0
    tracemalloc.start()
    try:
        for piece in pieces_of(archive, file=file):
            size += len(piece)
            assert len(piece) <= 256 * 1024
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(archive) < 100_000
    assert size == 64 * 1024 * 1024
    assert file.most_read <= 64 * 1024
    assert most < 16 * 1024 * 1024


def test_an_archive_that_wants_much_memory_is_refused():
    """Its dictionary, or window, is larger than any program makes it."""
    xz = bytearray(lzma.compress(TEXT))
    zst = bytearray(zstd.compress(TEXT))

    # The size of the dictionary stands in the header of the block.
    assert text_of(bytes(xz)) == TEXT
    large_xz = _with_dictionary(bytes(xz))
    # Its descriptor: a window of its own, of 2 ** 31 bytes.
    large_zst = bytes(zst[:4]) + bytes([0x00, (31 - 10) << 3]) + bytes(9)

    for archive in (large_xz, large_zst):
        with pytest.raises(Damaged, match=r"(?i)memory"):
            text_of(archive)


def _with_dictionary(xz):
    """Return *xz*, of one block, with a dictionary of 4 GiB."""
    header_size = (xz[12] + 1) * 4
    header = bytearray(xz[12 : 12 + header_size - 4])
    place = header.index(b"\x21\x01") + 2
    header[place] = 40
    checksum = zlib.crc32(header).to_bytes(4, "little")
    return xz[:12] + bytes(header) + checksum + xz[12 + header_size :]
