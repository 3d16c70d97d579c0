# SPDX-License-Identifier: Apache-2.0
"""Zeros that no disk holds are passed over, and change no line."""

from __future__ import annotations

import errno
import os
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nova_profiler.reading.logs import parts
from nova_profiler.reading.logs.files import blocks, holes
from nova_profiler.reading.logs.files.blocks import LONG_LINE, blocks_of
from nova_profiler.reading.logs.files.sources import BINARY, sources_of
from nova_profiler.reading.logs.parts import read_in_parts
from nova_profiler.reading.logs.unread import Unread

PAGE = 4096
# A hole, zeros that are written, and text.
PIECES = st.one_of(
    st.integers(1, 12).map(lambda pages: pages * PAGE),
    st.integers(1, PAGE).map(bytes),
    st.lists(st.text("ab 7", max_size=40), max_size=5).map(
        lambda lines: "\n".join(lines).encode()
    ),
    st.sampled_from([b"one line\n", b"\n", b"x" * 3 * PAGE]),
)


def written(path, pieces):
    """Write *pieces*; a number is a hole of so many bytes."""
    with open(path, "wb") as file:
        for piece in pieces:
            if isinstance(piece, int):
                file.seek(-(-file.tell() // PAGE) * PAGE + piece)
            else:
                file.write(piece)
        file.truncate(file.tell())
    return path


def source_of(path):
    (source,) = sources_of([str(path)], Unread())
    return source


def read(source, part_bytes=None):
    """Return the text of *source* in parts, and what was left out."""
    unread = Unread()
    starts = [0]
    if part_bytes:
        starts = list(parts._starts_of(source, source.size, part_bytes))
    text = b"".join(
        block
        for start in starts
        for block in blocks_of(
            source,
            unread,
            None,
            start,
            min(source.size, start + part_bytes) if part_bytes else None,
        )
    )
    return text, [(kind.kind, kind.count) for kind in unread]


def text_alone(text):
    """Return *text* without zeros: some are left where a chunk has both."""
    return text.replace(b"\0", b"").strip(b"\n")


def no_holes(fd, at, how):
    """Seek as a file system does that knows no holes."""
    if how == os.SEEK_DATA:
        raise OSError(errno.EINVAL, "Invalid argument")
    return SEEK(fd, at, how)


SEEK = os.lseek


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=6), st.integers(PAGE, 10 * PAGE))
def test_a_hole_changes_no_line(tmp_path_factory, pieces, part_bytes):
    """Wherever it is, and whatever parts a file is read in."""
    path = written(tmp_path_factory.mktemp("any") / "a.log", pieces)
    source = source_of(path)

    found = [read(source), read(source, part_bytes)]
    with mock.patch.object(holes.os, "lseek", no_holes):
        found += [read(source), read(source, part_bytes)]
    # Zeros within the first text make a file binary, or not, by chunks.
    assume(not any(left_out for _, left_out in found))
    assert len({text_alone(text) for text, _ in found}) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_of_nothing_but_a_hole_is_binary_at_once(tmp_path, processes):
    """A terabyte of them takes no room, and took hours to read."""
    path = written(tmp_path / "a.log", [1 << 40])
    unread = Unread()

    results = read_in_parts(
        count_lines, [source_of(path)], unread, None, processes
    )

    assert sum(results) == 0
    assert [(kind.kind, kind.count) for kind in unread] == [(BINARY, 1)]
    assert len(list(parts._starts_of(source_of(path), 1 << 40, 1 << 23))) <= 2


def count_lines(lines, unread):
    return sum(one.block.count(b"\n") for one in lines)


def test_text_behind_a_large_hole_is_read(tmp_path):
    """Rotation by copying leaves one, and the service writes behind it."""
    path = written(tmp_path / "a.log", [1 << 40, b"one\ntwo\n"])

    assert read(source_of(path), 1 << 23) == (b"one\ntwo\n", [])
    assert read(source_of(path)) == (b"one\ntwo\n", [])


def test_a_line_as_long_as_many_parts_is_read_twice_at_most(
    tmp_path, monkeypatch
):
    """Each part looked for the end of it, up to the end of the file."""
    count, part_bytes = 32, 1 << 18
    path = written(tmp_path / "a.log", [b"x" * (count * part_bytes)])
    taken = []

    class Counted(holes.WithoutHoles):
        def read1(self, size=-1, /):
            chunk = super().read1(size)
            taken.append(len(chunk))
            return chunk

    monkeypatch.setattr(blocks, "WithoutHoles", Counted)

    _, left_out = read(source_of(path), part_bytes)

    assert left_out == [(LONG_LINE, 1)]
    assert sum(taken) <= 2 * path.stat().st_size + part_bytes
