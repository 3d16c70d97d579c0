# SPDX-License-Identifier: Apache-2.0
"""Logs are found wherever they are, and read in blocks of whole lines."""

from __future__ import annotations

import gzip
import io
import os
import socket
import sys
import threading
from random import Random
from types import SimpleNamespace
from unittest import mock

import pytest
from archives import COMPRESSORS
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.files import blocks as blocks_module
from nova_profiler.reading.logs.files import sources
from nova_profiler.reading.logs.files.blocks import blocks_of
from nova_profiler.reading.logs.files.sources import DUMP, head_of, sources_of
from nova_profiler.reading.logs.unread import Unread

TEXT = b"".join(b"%d %s\n" % (n, b"x" * (n % 97)) for n in range(5_000))


def kinds(unread: Unread) -> list[tuple[str, str]]:
    return [(kind.kind, kind.example) for kind in unread]


def text_of(paths, unread=None, **more) -> bytes:
    unread = Unread() if unread is None else unread
    return b"".join(
        block
        for source in sources_of([str(path) for path in paths], unread)
        for block in blocks_of(source, unread, **more)
    )


@pytest.fixture(params=["", *COMPRESSORS])
def log(request, tmp_path):
    path = tmp_path / f"nova-api.log.{request.param}"
    path.write_bytes(COMPRESSORS.get(request.param, bytes)(TEXT))
    return path


def test_plain_and_compressed_files_give_their_text(log):
    """And progress in bytes on disk that adds up to the file's size."""
    heard: list[int] = []

    text = text_of([log], on_bytes=heard.append)

    assert text == TEXT
    assert sum(heard) <= log.stat().st_size
    assert sum(heard) >= log.stat().st_size * 0.9


def test_the_first_bytes_tell_the_compression(tmp_path):
    """Not the name: rotated logs have all kinds of names."""
    (tmp_path / "a.gz").write_bytes(TEXT)
    (tmp_path / "b.log").write_bytes(gzip.compress(TEXT))

    assert text_of([tmp_path]) == TEXT + TEXT


def test_several_archives_in_one_file(tmp_path):
    """What was put together with cat is read to its end."""
    for ending, compress in COMPRESSORS.items():
        path = tmp_path / f"log.{ending}"
        path.write_bytes(compress(TEXT) + compress(TEXT))

        assert text_of([path]) == TEXT + TEXT, ending


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_archives_that_are_cut_off(tmp_path, ending):
    """What is there is read, and a note says that the rest is missing."""
    path = tmp_path / "log"
    whole = COMPRESSORS[ending](os.urandom(300_000).hex().encode() + TEXT)
    path.write_bytes(whole[: len(whole) // 2])
    unread = Unread()

    text_of([path], unread)

    ((kind, example),) = kinds(unread)
    assert kind == "damaged archive, read as far as it goes"
    assert example.startswith(f"{path}: ")


def test_a_damaged_archive_gives_its_beginning(tmp_path):
    """A gzip file that misses its end gave lines until then."""
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(TEXT)[:-2000])

    text = text_of([path])

    assert len(text) > 1000
    assert TEXT.startswith(text)


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_archives_with_damage_within(tmp_path, ending):
    """What is before it is read; one line says that the rest is not."""
    path = tmp_path / "log"
    good = COMPRESSORS[ending](TEXT)
    bad = COMPRESSORS[ending](Random(1).randbytes(30_000).hex().encode())
    cut = len(bad) * 3 // 4
    path.write_bytes(good + bad[:cut] + b"\xff" * 100 + bad[cut + 100 :])
    unread = Unread()

    assert text_of([path], unread).startswith(TEXT)

    ((kind, example),) = kinds(unread)
    assert kind == "damaged archive, read as far as it goes"
    assert "\n" not in example


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_small_archive_of_a_large_text_takes_little_memory(tmp_path, ending):
    """Its text comes in pieces, however far the archive expands."""
    path = tmp_path / "log"
    path.write_bytes(COMPRESSORS[ending](b"x\n" * 600_000))
    unread = Unread()
    (source,) = sources_of([str(path)], unread)

    sizes = [len(block) for block in blocks_of(source, unread)]

    assert sum(sizes) == 1_200_000
    assert max(sizes) <= 2 * blocks_module.BLOCK_BYTES


def test_zstd_without_its_package(tmp_path, monkeypatch):
    """The remedy is named, and other files are read."""
    path = tmp_path / "log.zst"
    path.write_bytes(COMPRESSORS["zst"](TEXT))
    (tmp_path / "other.log").write_bytes(b"x\n")
    for name in ("backports", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    unread = Unread()

    assert text_of([path, tmp_path / "other.log"], unread) == b"x\n"

    ((_, example),) = kinds(unread)
    assert "pip install 'nova-profiler[zstd]'" in example


def test_folders_and_globs(tmp_path):
    """In the order of names, hidden files left out."""
    for name in ("b/2.log", "b/10.log", "a/1.log", ".hidden/x", "a/.y"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name + "\n")

    assert text_of([tmp_path]) == b"a/1.log\nb/10.log\nb/2.log\n"
    assert text_of([tmp_path / "b" / "?.log"]) == b"b/2.log\n"
    assert text_of([tmp_path / "**" / "1*.log"]) == b"a/1.log\nb/10.log\n"


def test_what_leads_to_nothing_is_named(tmp_path, monkeypatch):
    """Missing, unreadable, twice, binary: each with its name."""
    good = tmp_path / "good.log"
    good.write_bytes(b"x\n")
    binary = tmp_path / "core"
    binary.write_bytes(b"\x7fELF\0\0\0" * 100)
    (tmp_path / "other").symlink_to(good)
    unread = Unread()

    text = text_of(
        [good, tmp_path / "none", tmp_path / "*.gz", tmp_path / "other",
         binary, "a\0b"],
        unread,
    )  # fmt: skip

    assert text == b"x\n"
    assert {kind.kind: kind.count for kind in unread} == {
        "no such file": 2,
        "file named twice": 1,
        "binary file": 1,
        "file that cannot be read": 1,
    }


@pytest.fixture
def bundle(tmp_path):
    """Return a folder with links to what is none of its sender's business."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "secret.log").write_bytes(b"secret\n")
    folder = tmp_path / "bundle"
    (folder / "sub").mkdir(parents=True)
    (folder / "own.log").write_bytes(b"own\n")
    (folder / "a.log").symlink_to(private / "secret.log")
    (folder / "b.log").symlink_to("../private/secret.log")
    (folder / "sub" / "c.log").symlink_to("../../private/secret.log")
    (folder / "d.log").symlink_to("/dev/zero")
    (folder / "e.log").symlink_to("e.log")
    (folder / "sub" / "f.log").symlink_to("../own.log")
    (folder / "dir").symlink_to(private)
    (folder / "bundle2").symlink_to(folder / "sub")
    os.mkfifo(folder / "g.log")
    return folder


@pytest.mark.parametrize(
    "path", ["", "*", "*.log", "**/*.log", "**", "*/..", "sub/../*.log"]
)
def test_no_link_leads_out_of_a_folder(bundle, monkeypatch, path):
    """Nor to a device; both are named. Links within it are followed."""
    unread = Unread()

    text = text_of([bundle / path if path else bundle], unread)

    assert text in (b"own\n", b"")
    examples = {kind.kind: kind.count for kind in unread}
    assert "binary file" not in examples
    if path != "*/..":
        assert text == b"own\n"
        assert examples[sources.LINK_OUT] >= 3
        assert examples[sources.NO_FILE] >= 1


def test_a_pattern_of_the_current_folder(bundle, monkeypatch):
    """Its folder is the current one."""
    monkeypatch.chdir(bundle)
    unread = Unread()

    assert text_of(["?wn.log", "a*.log"], unread) == b"own\n"

    assert [kind for kind, _ in kinds(unread)] == [sources.LINK_OUT]


def test_a_folder_that_is_a_link_is_read(bundle):
    """And so is a file of that name: both were asked for."""
    unread = Unread()

    text = text_of([bundle / "dir", bundle / "a.log"], unread)

    assert text == b"secret\n"
    assert [kind for kind, _ in kinds(unread)] == ["file named twice"]


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "link", "socket"])
def test_what_is_neither_file_nor_pipe_is_named(tmp_path, monkeypatch, name):
    """Even if it was asked for: a device may have no end."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("/dev/zero")
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    unread = Unread()

    with server:
        assert text_of([name], unread) == b""

    assert kinds(unread) == [(sources.NO_FILE, name)]


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path):
    """Between the look at it and its reading."""
    path = tmp_path / "log"
    path.write_bytes(b"x\n")
    unread = Unread()
    (source,) = sources_of([str(path)], unread)
    path.unlink()
    os.mkfifo(path)

    assert list(blocks_of(source, unread)) == []
    assert head_of(source) == b""
    assert [kind for kind, _ in kinds(unread)] == ["file that cannot be read"]


def test_a_file_that_goes_away(tmp_path):
    """Rotated between the listing and the reading."""
    path = tmp_path / "log"
    path.write_bytes(b"x\n")
    unread = Unread()
    (source,) = sources_of([str(path)], unread)
    path.unlink()

    assert list(blocks_of(source, unread)) == []
    assert head_of(source) == b""
    assert [kind for kind, _ in kinds(unread)] == ["file that cannot be read"]


@pytest.mark.parametrize("ending", ["", "gz", "zst"])
def test_standard_input(monkeypatch, ending):
    """Compressed or not; named twice it is still read once."""
    data = COMPRESSORS.get(ending, bytes)(TEXT)
    stdin = io.BufferedReader(io.BytesIO(data))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin))
    unread = Unread()

    assert text_of(["-", "-"], unread) == TEXT
    assert kinds(unread) == [("file named twice", "standard input")]


def test_a_named_pipe(tmp_path):
    """What a shell's <(...) gives is read as it comes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()

    text = text_of([path])
    writer.join()

    assert text == TEXT


def test_parts_give_each_line_once(log):
    """Wherever a plain file is cut, the parts are all of it."""
    unread = Unread()
    (source,) = sources_of([str(log)], unread)
    if not source.is_splittable:
        assert source.compression in ("gzip", "bzip2", "xz", "zstd")
        return

    for step in (1_000, 77_777, 10**9):
        text = b"".join(
            block
            for start in range(0, len(TEXT), step)
            for block in blocks_of(source, unread, None, start, start + step)
        )
        assert text == TEXT


@given(
    st.lists(st.text("ab é\r", max_size=12), max_size=20)
    .map("\n".join)
    .map(str.encode),
    st.integers(1, 30),
    st.integers(1, 40),
)
def test_parts_of_any_text(tmp_path_factory, text, step, read_bytes):
    """Empty lines, long ones and a missing last line end included.

    However much one read gives: a line may go on in the next one.
    """
    path = tmp_path_factory.mktemp("parts") / "log"
    path.write_bytes(text)
    unread = Unread()
    (source,) = sources_of([str(path)], unread)

    with mock.patch.object(blocks_module, "_READ_BYTES", read_bytes):
        parts = b"".join(
            block
            for start in range(0, len(text), step)
            for block in blocks_of(source, unread, None, start, start + step)
        )

    assert parts == text


def test_a_line_of_ten_megabytes(tmp_path, monkeypatch):
    """It is left out and named; memory holds a block of it at most."""
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 64 * 1024)
    monkeypatch.setattr(blocks_module, "LONGEST_LINE", 16 * 1024)
    path = tmp_path / "log"
    path.write_bytes(b"before\n" + b"x" * 10_000_000 + b"\nafter\n")
    unread = Unread()
    (source,) = sources_of([str(path)], unread)

    blocks = list(blocks_of(source, unread))

    assert b"".join(blocks) == b"before\nafter\n"
    assert max(map(len, blocks)) < 1_000_000
    ((kind, example),) = kinds(unread)
    assert kind == "line longer than 1 MiB"
    assert example.startswith(f"{path}: xxx")


def test_the_head_of_a_file(log):
    """Its text, compressed or not."""
    (source,) = sources_of([str(log)], Unread())

    head = head_of(source)

    assert head
    assert TEXT.startswith(head)


def test_dumps_are_no_logs(tmp_path):
    """Beside the log_file, in its folder or named: their names tell."""
    stem = "103501.123-3117ms-GET-v2_1_servers_detail-6ec84648"
    day = tmp_path / "profiler" / "2026-11-21"
    day.mkdir(parents=True)
    for name in (f"{stem}.json", f"{stem}--1f.json", f"{stem}.prof"):
        (day / name).write_text("not to be read\n")
    (day / "readable.json").write_text("{}\n")
    (tmp_path / "requests.json").write_text("{}\n{}\n")
    unread = Unread()

    text = text_of([tmp_path, day / f"{stem}.json"], unread)

    assert text == b"{}\n" * 3
    assert kinds(unread) == [
        (DUMP, str(day / f"{stem}--1f.json")),
    ]
    assert unread.count_of(DUMP) == 3


def test_stacks_count_with_their_dump_in_a_folder(tmp_path):
    """A dump is one, with what lies beside it; stacks alone are named."""
    stem = "093301.237-3117ms-POST-v2_1_servers-6ec84648-u470b3e"
    alone = stem.replace("093301", "093302")
    for name in (f"{stem}.json", f"{stem}.pyisession", f"{alone}.prof"):
        (tmp_path / name).write_bytes(b"{}")
    unread, named = Unread(), Unread()

    sources_of([str(tmp_path)], unread)
    sources_of([str(tmp_path / f"{stem}.pyisession")], named)

    assert unread.count_of(DUMP) == 2
    assert named.count_of(DUMP) == 1
