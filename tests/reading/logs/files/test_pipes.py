# SPDX-License-Identifier: Apache-2.0
"""What comes through a pipe can be read twice."""

from __future__ import annotations

import errno
import gzip
import io
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from nova_profiler.reading.logs.files import pipes
from nova_profiler.reading.logs.files.blocks import blocks_of
from nova_profiler.reading.logs.files.pipes import copied
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.parts import ReadError
from nova_profiler.reading.logs.unread import Unread

TEXT = b"a line\n" * 1_000


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return where copies go in these tests."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(pipes.tempfile, "tempdir", None)
    return folder


def stdin(monkeypatch, text: bytes):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    return sources_of(["-"], Unread())


def text_of(source) -> bytes:
    return b"".join(blocks_of(source, Unread()))


@pytest.mark.parametrize(
    "came", [TEXT, gzip.compress(TEXT)], ids=["plain", "packed"]
)
def test_standard_input_is_read_twice(monkeypatch, folder, came):
    """Under its own name, compressed as it came, and gone at the end."""
    sources = stdin(monkeypatch, came)
    heard: list[int] = []

    with copied(sources, Unread(), heard.append) as (source,):
        assert (source.name, source.size) == (
            "standard input", len(came),
        )  # fmt: skip
        assert text_of(source) == text_of(source) == TEXT
        # Other processes read parts of it; a kill leaves nothing there.
        code = "import sys; print(open(sys.argv[1], 'rb').read())"
        found = subprocess.check_output(
            [sys.executable, "-c", code, source.path], text=True
        )
        assert found.strip() == repr(came)
        assert list(folder.iterdir()) == []

    assert sum(heard) == len(came)
    assert list(folder.iterdir()) == []


def test_a_named_pipe_is_copied_and_a_file_is_not(tmp_path):
    """Only what cannot be read again takes room."""
    pipe, file = tmp_path / "pipe", tmp_path / "nova-api.log"
    os.mkfifo(pipe)
    file.write_bytes(TEXT)
    sources = sources_of([str(pipe), str(file)], Unread())
    writer = threading.Thread(target=pipe.write_bytes, args=[b"piped\n"])
    writer.start()

    with copied(sources, Unread()) as (first, second):
        assert text_of(first) == text_of(first) == b"piped\n"
        assert second is sources[1]

    writer.join()


def test_where_descriptors_have_no_path_a_copy_has_a_name(monkeypatch, folder):
    """It is gone at the end."""
    monkeypatch.setattr(pipes, "_DESCRIPTORS", "/nowhere")

    with copied(stdin(monkeypatch, TEXT), Unread()) as (source,):
        assert text_of(source) == TEXT
        assert [str(file) for file in folder.iterdir()] == [source.path]

    assert list(folder.iterdir()) == []


def test_a_pipe_without_end_leaves_half_of_the_room(monkeypatch, folder):
    """The message says why it was given up."""

    class Endless(io.BytesIO):
        def read(self, size=-1):
            return bytes(size)

    monkeypatch.setattr(
        pipes.shutil,
        "disk_usage",
        lambda folder: SimpleNamespace(free=5 << 20),
    )
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Endless()))

    with (
        pytest.raises(ReadError, match="more than half of the room.* 2 MiB"),
        copied(sources_of(["-"], Unread()), Unread()),
    ):
        pass

    assert list(folder.iterdir()) == []


def test_no_room(monkeypatch, folder):
    """One line that says where, and what to do."""

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pipes, "_new_file", lambda folder: Full())
    sources = stdin(monkeypatch, TEXT)

    with (
        pytest.raises(ReadError, match=r"No space left .*; set TMPDIR"),
        copied(sources, Unread()),
    ):
        pass


def test_a_pipe_that_breaks(monkeypatch):
    """What came until then is read, the rest is named."""

    class Breaking(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError(errno.EIO, "Input/output error")
            return super().read(7)

    @contextmanager
    def file_of(source):
        yield Breaking(TEXT)

    monkeypatch.setattr(pipes, "file_of", file_of)
    unread = Unread()

    with copied(stdin(monkeypatch, TEXT), unread) as (source,):
        assert text_of(source) == b"a line\n"

    assert [kind.example for kind in unread] == [
        "standard input: Input/output error"
    ]


def test_large_copies_are_not_kept_in_memory(monkeypatch):
    """Without TMPDIR they go where disks are, if that can be written."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        os, "access", lambda path, mode: path == pipes._LARGE_FILES
    )

    assert pipes._folder() == pipes._LARGE_FILES
